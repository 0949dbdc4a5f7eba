"""The card of a model shows what people's data hold as it is, to whoever renders its Markdown."""

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from unrolled.errors import readable
from unrolled.tasks.card import model_card
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.evaluation import Evaluation

_TEXTS = st.text(st.sampled_from("\\`*_[]()<>|~#+-=!.1 &;:/a\"'{}$\x1b\n"), min_size=1, max_size=12)
_BEGINS = "lies: "


class _Shown(HTMLParser):
    """What is shown in each element of two kinds, and which kinds there are."""

    def __init__(self, rendered):
        super().__init__()
        self.tags, self.cells, self.items, self._open = set(), [], [], None
        self.feed(rendered)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "li"):
            self._open = self.cells if tag == "td" else self.items
            self._open.append("")

    def handle_endtag(self, tag):
        if tag in ("td", "li"):
            self._open = None

    def handle_data(self, data):
        if self._open is not None:
            self._open[-1] += data


@given(_TEXTS)
@example("\\[click\\](http://evil)")
@example("\\|")
@example("12. a")
@example("<script>")
def test_any_text_is_shown_as_it_is(text):
    evaluation = Evaluation("tag", text, {"accuracy": 1.0}, {text: {"accuracy": 0.5}}, 2)
    card = model_card("tag", TaskConfig(), [text, _BEGINS + text], evaluation, "")
    shown = _Shown(MarkdownIt("commonmark").enable("table").render(card))
    plain = " ".join(readable(" ".join(text.split())).split())
    assert shown.cells == ["model", "1.0000", plain, "0.5000"]
    assert [item.strip() for item in shown.items] == [plain, f"{_BEGINS}{plain}".strip()]
    assert shown.tags <= {
        "h1",
        "h2",
        "p",
        "code",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
    }

"""The report: one file, self-contained, well formed, and everything in it that a run has to show."""

import json
import re
import types
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from unrolled.errors import StorageError
from unrolled.reporting.figure import svg
from unrolled.reporting.page import report, write_report
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.evaluation import Evaluation
from unrolled.training.history import EpochRecord, History

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects what a test asks for, and insists that every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def history(clipped=0.0):
    made = History(monitor="rmse", mode="min", best_epoch=2, stopped="epochs")
    for update in range(1, 31):
        made.record(
            update, loss=3 / update, gradient_norm=1 / update, clipped=clipped > 0 and update % 3 == 0
        )
    for epoch in range(1, 4):
        made.epochs.append(
            EpochRecord(
                epoch=epoch,
                loss=3 / epoch,
                gradient_norm=1.0,
                clipped=clipped,
                learning_rate=0.1,
                updates=10,
                steps=100,
                seconds=1.0,
                scores={"rmse": 4 / epoch, "mae": 3 / epoch},
            )
        )
    return made


def estimator(**changes):
    values = {
        "monitored": ("rmse", "min"),
        "effective": TaskConfig(),
        "history": history(),
        "notices": ["A tenth <held> out & kept."],
    }
    return types.SimpleNamespace(**(values | changes))


def evaluation(examples=(), rmse=2.0):
    baselines = {"persistence": {"rmse": 2.5, "mae": 1.9}, "naive": {"rmse": 3.5}}
    return Evaluation(
        "forecast", "test.csv", {"rmse": rmse, "mae": 1.5}, baselines, 1234, "days", 1.0, examples
    )


SERIES = {
    "series": "a",
    "time": ["2020-01-01", "2020-01-02", "2020-01-03"],
    "actual": [1.0, None, 3.0],
    "forecast": [1.1, 2.1, 2.9],
    "lower": [0.5, 1.5, 2.5],
    "upper": [1.5, 2.5, 3.5],
}


def test_the_page_is_well_formed_and_loads_nothing():
    text = report(estimator(), evaluation([SERIES, {"text": "a", "predicted": "b"}]), "model")
    page = Page(text)
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "action")
    ]
    assert all(address.startswith("#") for address in addresses)
    assert not page.all("script")
    assert not page.all("link")
    assert "@import" not in text
    assert "url(http" not in text


def test_identifiers_are_unique_and_references_lead_somewhere():
    page = Page(report(estimator(history=history(0.3)), evaluation([SERIES, SERIES]), "model"))
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    used = [
        value.removeprefix("#")
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("xlink:href", "aria-labelledby")
    ]
    assert used
    assert set(used) <= set(identifiers)


def test_scores_stand_beside_the_baselines():
    page = Page(report(estimator(), evaluation(), "model"))
    for shown in (
        "2.0000",
        "2.5000",
        "3.5000",
        "persistence",
        "naive",
        "1,234 days",
        "A tenth <held> out & kept.",
    ):
        assert shown in page.text


def test_every_figure_says_what_it_shows():
    page = Page(report(estimator(history=history(0.3)), evaluation([SERIES]), "model"))
    drawings = page.all("svg")
    # One forecast; the loss, the two dev scores, which run alike, the gradient's norm and the clipping.
    assert len(drawings) == 5
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)
    assert all("width" not in drawing and drawing["viewbox"] for drawing in drawings)


def test_a_column_with_nothing_in_it_is_left_out():
    page = Page(report(estimator(), evaluation([{"prompt": "", "written": "to be"}]), "model"))
    assert "to be" in page.text
    assert "prompt" not in page.text


def test_no_clipping_needs_no_chart_of_it():
    page = Page(report(estimator(), evaluation(), "model"))
    assert len(page.all("svg")) == 3
    assert "no update was clipped" in page.text


def test_a_page_without_training_or_examples_still_shows_the_scores():
    page = Page(report(estimator(history=None), evaluation(), "model"))
    assert page.all("svg") == []
    assert "persistence" in page.text


def test_what_users_wrote_cannot_become_markup():
    hostile = "<script>alert(1)</script>"
    text = report(estimator(), evaluation([{"text": hostile}, SERIES | {"series": hostile}]), hostile)
    assert Page(text).all("script") == []
    assert hostile not in text


@pytest.mark.parametrize(
    ("rmse", "said"), [(2.0, "beats every baseline"), (2.6, "does not beat"), (2.5, "does not beat")]
)
def test_the_verdict_is_plain(rmse, said):
    assert said in Page(report(estimator(), evaluation(rmse=rmse), "model")).text


def test_the_options_are_all_listed():
    text = Page(report(estimator(), evaluation(), "model")).text
    for name, value in TaskConfig().model_dump(mode="json").items():
        assert name in text
        assert str(value) in text


def test_the_same_run_gives_the_same_bytes():
    assert report(estimator(), evaluation([SERIES]), "model") == report(
        estimator(), evaluation([SERIES]), "model"
    )


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path):
    target = tmp_path / "gone" / "report.html"
    with pytest.raises(StorageError, match="could not be written"):
        write_report(target, estimator(), evaluation())
    assert list(tmp_path.iterdir()) == []


def test_evaluations_survive_json():
    made = evaluation([SERIES])
    assert Evaluation.from_json(json.loads(json.dumps(made.to_json()))).scores == made.scores


ANSWERED = {
    "confusion": {"classes": ["cat", "$dog"], "counts": [[3, 1], [0, 2]]},
    "confidence": {
        "edges": [number / 10 for number in range(11)],
        "right": [0] * 9 + [5],
        "wrong": [0] * 5 + [1] + [0] * 4,
        "mean": 0.9,
        "accuracy": 5 / 6,
    },
    "wrong": [{"input": "woof", "expected": "cat", "predicted": "$dog", "confidence": 0.55}],
}


def test_a_classifier_shows_what_it_took_for_what_and_where_it_was_most_wrong():
    made = replace(evaluation([{"input": "a", "predicted": "b"}]), details=ANSWERED)
    page = Page(report(estimator(history=None), made, "model"))
    labels = [drawing["aria-label"] for drawing in page.all("svg")]
    assert labels[0].startswith("Confusion matrix of 2 classes; 5 of 6")
    assert "sure to 90% on average, right in 83%" in labels[1]
    for shown in ("What it was most wrong about", "woof", "0.55"):
        assert shown in page.text


def test_forecasts_show_their_error_by_steps_ahead_and_history_and_future():
    ahead = {"score": "mae", "model": [1.0, None], "persistence": [2.0, 3.0]}
    series = SERIES | {
        "band": "10% to 90%",
        "history": {"time": ["2019-12-31"], "actual": [0.5]},
        "future": {"time": ["2020-01-04"], "forecast": [3.5], "lower": [3.0], "upper": [4.0]},
    }
    text = report(estimator(history=None), replace(evaluation([series]), details={"ahead": ahead}), "model")
    for shown in ("steps ahead", "band: 10% to 90%", "end of the data", "2019-12-31", "2020-01-04"):
        assert shown in text


def test_forecasts_of_one_step_have_their_error_in_the_table_alone():
    ahead = {"score": "mae", "model": [1.0], "persistence": [2.0]}
    text = report(estimator(history=None), replace(evaluation([SERIES]), details={"ahead": ahead}), "model")
    assert "steps ahead" not in text


def test_tags_stand_under_their_words():
    tagged = {"input": ["the", "cat"], "expected": ["DET", "NOUN"], "predicted": ["DET", "VERB"]}
    page = Page(report(estimator(history=None), evaluation([tagged]), "model"))
    assert "aligned" in [table.get("class") for table in page.all("table")]
    assert [cell.get("class") for cell in page.all("td")[-6:]] == [None] * 5 + ["wrong"]


def test_the_best_is_bold_whoever_it_is():
    page = Page(report(estimator(history=None), evaluation(rmse=2.6), "model"))
    heads = [head for head in page.all("th") if head.get("title")]
    assert [head["title"] for head in heads] == [
        "root mean squared error, lower is better",
        "mean absolute error, lower is better",
    ]
    assert "rmse ↓" in page.text
    classes = [cell["class"] for cell in page.all("td")]
    # A row a method: model, persistence, naive; the error and the absolute error of each.
    assert classes == ["number", "number best", "number best", "number", "number", "number"]
    assert [row.get("class") for row in page.all("tr")] == [None, None, "best", None]


def test_what_ran_away_is_shortened():
    endless = {"prompt": "", "written": "so it goes " * 500}
    random_letters = {
        "prompt": "",
        "written": "".join(chr(97 + 7 * n * n % 26) + str(n) for n in range(2000)),
    }
    page = Page(report(estimator(history=None), evaluation([endless, random_letters]), "model"))
    assert "(500 times)" in page.text
    assert "characters)" in page.text
    assert len(page.text) < 10_000


@pytest.mark.parametrize("example", [SERIES, {"text": "a", "predicted": "b"}])
def test_no_label_is_smaller_than_a_phone_can_show(example):
    """Every figure is at least so wide that its smallest label has 11 pixels."""
    text = report(estimator(history=history(0.3)), replace(evaluation([example]), details=ANSWERED), "model")
    drawings = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(drawings) >= 5
    for drawing in drawings:
        width = float(re.search(r'viewBox="\S+ \S+ (\S+)', drawing)[1])
        least = int(re.search(r"min-width: (\d+)px", drawing)[1])
        sizes = [float(size) for size in re.findall(r"font(?:-size)?: [^;\"]*?([\d.]+)px", drawing)]
        assert sizes
        assert min(sizes) * least / width >= 11


@pytest.mark.parametrize("name", [r"$\frac$", "$a$ and $b$", r"\1 \g<2>", "]]><b>", '"><b x="', "--><b>"])
def test_any_name_is_text_in_a_drawing(name):
    drawn = svg(lambda axes: axes.set_title(name), name, name="title")
    root = ElementTree.fromstring(drawn)
    assert root.get("aria-label") == name
    assert name in "".join(root.itertext())
    assert not [each.tag for each in root.iter() if each.tag in ("b", "{http://www.w3.org/2000/svg}b")]

"""What a watch has seen is shown as a page, as a figure and in a notebook."""

import pytest
import torch
from torch import nn

from unrolled.diagnosis import watch
from unrolled.errors import ConfigError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(3, 6, batch_first=True)
        self.cell = nn.GRUCell(6, 5)

    def forward(self, inputs):
        state = None
        for step in self.recurrent(inputs)[0].unbind(1):
            state = self.cell(step, state)
        return state


def test_page_figure_and_notebook(tmp_path):
    torch.manual_seed(0)
    net = Net()
    with watch(net) as watched:
        net(torch.randn(4, 12, 3)).sum().backward()
    page = watched.report(tmp_path / "gradient.html").read_text(encoding="utf-8")
    fragment = watched._repr_html_()
    for shown in (page, fragment):
        assert "Net" in shown
        assert watched.verdict().kind.capitalize() in shown
        assert shown.count("<svg") >= 2
        assert "http://" not in shown.replace("http://www.w3.org", "")
    assert "recurrent.l0" in page
    assert "forget" in page
    assert len(watched.figure().subfigs) == 3
    assert watched.gates()[0].layer == "recurrent.l0"


def test_what_was_not_seen_is_said_wherever_it_is_shown(tmp_path):
    net = Net()
    with watch(net) as watched:
        net.recurrent(torch.randn(2, 9, 3))[0].sum().backward()
    assert "Not judged: cell: it did not run" in watched.verdict().sentence
    assert "<code>cell</code>" in watched.report(tmp_path / "gradient.html").read_text(encoding="utf-8")


def test_nothing_seen_is_no_verdict(tmp_path):
    net = Net()
    with watch(net) as watched, torch.no_grad():
        net(torch.randn(2, 4, 3))
    for judged in (watched.verdict, lambda: watched.report(tmp_path / "gradient.html")):
        with pytest.raises(ConfigError, match="recurrent: it did not run"):
            judged()
    assert "it did not run" in watched._repr_html_()
    with watch(nn.Linear(2, 3)) as watched, pytest.raises(ConfigError, match=r"watch\.step"):
        watched.verdict()

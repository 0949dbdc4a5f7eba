"""The lines that training leaves on the screen."""

import pytest

from unrolled.training.progress import ProgressBar

SCORES = {
    "bits_per_character": 2.3456,
    "nats_per_character": 1.6259,
    "nats_per_token": 7.1234,
    "perplexity": 5.0829,
}


@pytest.mark.parametrize("monitor", SCORES)
def test_the_line_of_an_epoch_shows_the_monitored_score_first_and_fits(capsys, monitor):
    ProgressBar(True, epochs=300, batches=1).end(299, 1.2345, SCORES, monitor, 1234.5)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"epoch 300/300 · loss 1.234 · {monitor} {SCORES[monitor]:.4g} · ")
    assert line.endswith(" · 1234.5 s")
    assert len(line) <= 80


def test_all_scores_are_shown_where_there_is_room(capsys):
    ProgressBar(True, epochs=3, batches=1).end(0, 1.0, {"mae": 2.0, "rmse": 3.0}, "rmse", 1.0)
    assert capsys.readouterr().err == "epoch 1/3 · loss 1 · rmse 3 · mae 2 · 1.0 s\n"


def test_a_bar_that_is_not_shown_says_nothing(capsys):
    ProgressBar(False, epochs=3, batches=1).end(0, 1.0, SCORES, "perplexity", 1.0)
    assert capsys.readouterr().err == ""

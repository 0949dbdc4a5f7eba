import json

from hypothesis import given
from hypothesis import strategies as st

from unrolled.training.history import EpochRecord, History

finite_or_not = st.floats(allow_nan=False)


@given(st.lists(st.tuples(finite_or_not, finite_or_not, st.booleans()), max_size=20), finite_or_not)
def test_json_brings_back_the_same_history(updates, score):
    history = History(monitor="accuracy", mode="max", best_epoch=1, stopped="patience")
    for number, (loss, norm, clipped) in enumerate(updates, 1):
        history.record(number, loss=loss, gradient_norm=norm, clipped=clipped)
    history.epochs.append(
        EpochRecord(
            epoch=1,
            loss=score,
            gradient_norm=1.5,
            clipped=0.25,
            learning_rate=0.1,
            updates=3,
            steps=9,
            seconds=1.0,
            scores={"accuracy": score},
        )
    )
    text = json.dumps(history.to_json(), allow_nan=False)
    assert History.from_json(json.loads(text)) == history


@given(st.integers(1, 20000))
def test_updates_are_thinned_evenly_to_a_bounded_number(number):
    history = History()
    for update in range(1, number + 1):
        history.record(update, loss=0.0, gradient_norm=0.0, clipped=False)
    kept = [record.update for record in history.updates]
    assert len(kept) <= 2000
    assert kept == list(range(1, number + 1, history.stride))
    assert history.stride == 1 or len(kept) >= 1000

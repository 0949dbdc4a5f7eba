"""A model with its data as the functions that are measured, and what an examination makes of them."""

import math

import numpy as np
import pytest
import torch

from unrolled import Captioner, Classifier, Generator, Tagger
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError, DataError
from unrolled.inspection.comparison import options_for, require_comparable
from unrolled.inspection.examination import examine
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing import probe
from unrolled.inspection.rows import together

TEXTS = ["deep in the deep sea", "the sea", "in the deep"] * 4
TAGGED = [(["you", "can", "?"], ["Q", "Q", "Q"]), (["you", "sing", "now", "."], ["S"] * 4)] * 3


def generator(**options):
    return Generator(hidden_size=5, **options).untrained(TEXTS)


def classifier(**options):
    plain = {"hidden_size": 5, "bidirectional": False, "pooling": "last", "skip": False}
    return Classifier(**plain | options).untrained("adding:20")


def test_rows_keep_what_belongs_to_them_and_start_anew():
    batch = Batch(
        {"values": torch.arange(6.0).reshape(2, 3, 1)},
        torch.tensor([3, 2]),
        torch.tensor([7.0, 8.0]),
        False,
        starts=torch.tensor([False, False]),
    )
    twice = batch.rows(torch.tensor([1, 1, 0]))
    assert twice.targets.tolist() == [8.0, 8.0, 7.0]
    assert twice.lengths.tolist() == [2, 2, 3]
    assert twice.starts is None


def test_batches_of_several_lengths_are_padded_in_every_axis():
    parts = [
        Batch({"characters": torch.ones(1, time, letters)}, torch.tensor([time]), torch.ones(1, time), True)
        for time, letters in ((2, 5), (4, 3))
    ]
    joined = together(parts)
    assert joined.inputs["characters"].shape == (2, 4, 5)
    assert joined.inputs["characters"].sum().item() == 2 * 5 + 4 * 3
    assert joined.targets.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]


def test_losses_at_single_steps_add_up_to_that_of_the_sequence():
    measured = Measured(generator(), TEXTS)
    assert measured.per_step
    steps = torch.arange(measured.sample.time)
    whole = measured.loss(measured.sample) * measured.sample.time
    torch.testing.assert_close(measured.loss_at(steps), whole)
    one_by_one = sum(measured.loss_at(step.unsqueeze(0)) for step in steps)
    torch.testing.assert_close(one_by_one, whole)


def test_a_model_that_sees_all_of_a_sequence_is_itself():
    measured = Measured(classifier(), "adding:20")
    assert not measured.per_step
    with torch.no_grad():
        whole = float(measured.loss())
    assert measured.loss_seen(20) == pytest.approx(whole, rel=1e-5)
    assert measured.loss_seen(1) != pytest.approx(whole, rel=1e-5)
    assert measured.loss_in_order(None) == pytest.approx(whole, rel=1e-5)
    as_it_was = torch.arange(20).expand(measured.batch.size, -1)
    assert measured.loss_in_order(as_it_was) == pytest.approx(whole, rel=1e-5)
    assert measured.loss_in_order(as_it_was.flip(1)) != pytest.approx(whole, rel=1e-5)


def test_what_lies_before_the_steps_seen_makes_no_difference():
    measured = Measured(classifier(), "adding:20")
    before = measured.loss_seen(5)
    measured.batch.inputs["values"][:, :15] = 7.0
    assert measured.loss_seen(5) == before
    assert measured.loss_seen(6) != pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize("targets", ["classes", "numbers"])
def test_chance_is_the_best_constant_answer(targets):
    if targets == "classes":
        data = [("a b", "x"), ("b a", "x"), ("a a", "x"), ("b b", "y")]
        expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
        estimator = Classifier(hidden_size=4).untrained(data)
    else:
        data = [([0.1, 0.2], 1.0), ([0.3, 0.1], 3.0)]
        expected = 1.0  # targets are scaled to deviation 1
        estimator = Classifier(hidden_size=4, target="numbers").untrained(data)
    assert Measured(estimator, data).chance() == pytest.approx(expected)


def test_measuring_leaves_the_model_as_it_was():
    estimator = classifier()
    before = {name: value.clone() for name, value in estimator.model.state_dict().items()}
    examine(estimator, "adding:20", "model")
    assert all(torch.equal(value, before[name]) for name, value in estimator.model.state_dict().items())
    assert all(parameter.grad is None for parameter in estimator.model.parameters())


def test_where_every_step_has_a_loss_the_triangle_says_what_is_left():
    found = examine(generator(), [*TEXTS, "in the deep sea the deep sea is in the deep sea"], "model")
    (flow,), (triangle,) = found.diagnosis.flows, found.diagnosis.triangles
    # As far as a quarter of the texts reach; the triangle is of the longest.
    assert 1 < len(flow.decay) < len(triangle.decay)
    assert found.decays == {triangle.layer: triangle.decay[: len(flow.decay)]}
    lag, left = (found.diagnosis.verdict.numbers[name] for name in ("lag", "left at that lag"))
    assert left == triangle.decay[int(lag)]
    one = examine(classifier(), "adding:20", "model")
    assert one.decays == {each.layer: each.decay for each in one.diagnosis.flows}


def test_a_tagger_whose_longest_sentence_repeats_a_word_is_measured():
    sentences = [
        (["the", "cat", "sees", "the", "cat", "sees", "the"], ["D", "N", "V", "D", "N", "V", "D"])
    ] * 4
    made = examine(Tagger(hidden_size=4, crf=False).untrained(sentences), sentences, "model")
    assert [each.layer for each in made.diagnosis.weights] == ["recurrent.l0", "recurrent.l0_reverse"]


def test_a_model_of_windows_is_measured_beyond_them():
    text = ["".join(chr(97 + (number * 7) % 26) for number in range(2000))]
    estimator = Generator(hidden_size=5, window=4, batch_size=4).untrained(text)
    measured = Measured(estimator, text)
    assert measured.batch.time >= 128
    assert int(measured.batch.lengths.median()) >= 128
    whole = measured.batch.rows(measured.batch.lengths == measured.batch.time)
    # What follows is what comes next, across windows.
    assert torch.equal(whole.inputs["tokens"][:, 1:], whole.targets[:, :-1])


def test_what_is_broken_is_said_in_a_sentence():
    estimator = classifier()
    with torch.no_grad():
        estimator.model.recurrent.weight_hh_l0[0, 0] = math.nan
    found = examine(estimator, "adding:20", "model").diagnosis.verdict
    assert found.kind == "cannot be measured"
    assert "recurrent.weight_hh_l0" in found.sentence


def blank(measured):
    """A model that answers alike whatever it reads."""
    with torch.no_grad():
        for parameter in measured.model.parameters():
            parameter.zero_()
    return measured


def test_the_probe_finds_a_dependency_at_its_lag_and_none_where_there_is_none():
    def texts(lag):
        rng = np.random.default_rng(1)
        letters = rng.integers(0, 6, 6000)
        for at in range(lag or 6000, 6000):
            letters[at] = letters[at - lag] if at % 2 else letters[at]
        return ["".join(chr(97 + letter) for letter in letters)]

    far = probe(blank(Measured(Generator(hidden_size=4, window=8).untrained(texts(12)), texts(12))))
    # The last symbol read is one step nearer than what it is followed by.
    assert far.lag == 11
    assert far.gain_at(11) > 0.2 * far.loss
    nothing = probe(blank(Measured(Generator(hidden_size=4, window=8).untrained(texts(0)), texts(0))))
    assert nothing.lag is None


@pytest.mark.parametrize("place", [0, 30, 39])
def test_the_probe_of_one_answer_finds_the_range_of_lags(place):
    rng = np.random.default_rng(0)
    data = [(rng.standard_normal((40, 1)), 0.0) for _ in range(900)]
    data = [(values, float(values[place, 0])) for values, _ in data]
    found = probe(blank(Measured(Classifier(hidden_size=4, target="numbers").untrained(data), data)))
    assert found.lag == {0: 39, 30: 15, 39: 0}[place]  # the farthest lag of its range
    assert found.order_gain > found.least


def test_a_sequence_with_one_answer_has_one_loss_and_every_step_a_token():
    made = examine(classifier(num_layers=2), "adding:20", "model")
    assert [each.layer for each in made.diagnosis.triangles] == ["recurrent.l0", "recurrent.l1"]
    assert [len(each.norms) for each in made.diagnosis.triangles] == [1, 1]
    assert len(made.labels) == len(made.diagnosis.triangles[0].norms[0]) == 20
    assert made.diagnosis.clipping is None  # it was never trained


def test_an_encoder_of_characters_takes_no_part():
    estimator = Tagger(hidden_size=4, crf=False).untrained(TAGGED)
    assert any(name.startswith("inputs.") for name, _ in estimator.model.named_parameters())
    made = examine(estimator, TAGGED, "model")
    layers = {each.layer for each in made.diagnosis.flows}
    assert layers == {"recurrent.l0", "recurrent.l0_reverse"}
    assert {each.layer for each in made.diagnosis.gates} == layers
    assert made.labels == ("you", "sing", "now", ".")
    assert len(made.diagnosis.triangles[0].norms) == 4


def test_a_loss_over_whole_sequences_is_one_loss():
    made = examine(Tagger(hidden_size=4, crf=True).untrained(TAGGED), TAGGED, "model")
    assert len(made.diagnosis.triangles[0].norms) == 1


def test_an_examination_is_plain_json():
    found = examine(generator(), TEXTS, "model").to_json()
    assert found["task"] == "generate"
    assert found["verdict"]["kind"]
    assert len(found["labels"]) == len(found["triangles"][0]["norms"][0])


def test_data_without_a_step_is_refused():
    nothing = Batch(
        {"values": torch.zeros(2, 0, 1)}, torch.zeros(2, dtype=torch.int64), torch.zeros(2), False
    )

    class Empty:
        def __len__(self):
            return 1

        def batches(self, epoch, start=0):
            return iter([nothing])

    estimator = classifier()
    estimator.loader = lambda data: Empty()
    with pytest.raises(DataError, match="one step at least"):
        examine(estimator, "nothing.tsv", "model")


def test_only_models_of_one_task_are_compared():
    with pytest.raises(ConfigError, match="a \\(classify\\), b \\(generate\\)"):
        require_comparable({"a": classifier(), "b": generator()})


def test_every_cell_gets_the_options_it_has():
    options = {"hidden_size": 4, "chrono": 50, "forget_bias": None, "activation": "relu"}
    assert options_for("gru", options) == (
        {"hidden_size": 4, "chrono": 50, "cell": "gru"},
        ["forget_bias", "activation"],
    )
    assert options_for("lstm", options)[1] == ["activation"]


@pytest.mark.parametrize("attention", [True, False])
def test_what_is_written_from_a_vector_has_no_input_to_look_back_at(attention):
    data = [([0.1, 0.2, 0.3], "one two three"), ([0.9, 0.8, 0.1], "three two")] * 4
    options = {} if attention else {"attention": "none"}
    made = examine(Captioner(hidden_size=6, input_size=6, **options).untrained(data), data, "model")
    assert made.diagnosis.context is None
    assert made.diagnosis.order is None
    assert [each.layer for each in made.diagnosis.flows] == ["decoder.recurrent.l0"]
    assert len(made.labels) == len(made.diagnosis.triangles[0].norms[0])

"""The encoder-decoder and its decoder: what reads what, whichever way the steps are run."""

import pytest
import torch

from tests.tolerances import tolerance
from unrolled.errors import ConfigError
from unrolled.layers.state import map_state
from unrolled.models.conditional import ScheduledSampling
from unrolled.models.config import NetworkConfig
from unrolled.models.decoder import Decoder
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.models.inputs import TokenInput

LENGTHS = torch.tensor([5, 2, 3])
TOKENS = torch.tensor([[2, 3, 4, 5, 6], [7, 6, 0, 0, 0], [3, 3, 2, 0, 0]])
PREVIOUS = torch.tensor([[0, 4, 2, 3], [0, 1, 4, 4], [0, 3, 0, 0]])
VALUE = tolerance(torch.float64, "value")

KINDS = [
    {"attention": "none"},
    {"attention": "additive"},
    {"attention": "multiplicative"},
    {"attention": "additive", "input_feeding": True},
    {"attention": "multiplicative", "copying": True, "unknown": 1},
    {"attention": "multiplicative", "copying": True, "unknown": 1, "input_feeding": True},
]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def build(encoder=None, decoder=None, sampling=None, **options):
    encoder = NetworkConfig(**{"hidden_size": 4, "bidirectional": True, "dropout": 0.3} | (encoder or {}))
    decoder = NetworkConfig(**{"hidden_size": 6, "dropout": 0.3} | (decoder or {}))
    writer = Decoder(5, 3, decoder, memory_size=encoder.output_size, **options)
    return EncoderDecoder(TokenInput(8, 3), encoder, writer, sampling).double().eval()


def batch(copying):
    inputs = {"tokens": TOKENS, "previous": PREVIOUS}
    # The source's symbols 5, 6 and 7 are none of the target's five.
    return inputs | {"copies": TOKENS} if copying else inputs


@pytest.mark.parametrize("options", KINDS)
def test_a_row_alone_and_padded_give_the_same_scores(options):
    model = build(**options)
    inputs = batch(options.get("copying"))
    together, _ = model(inputs, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        one = {name: tensor[row : row + 1] for name, tensor in inputs.items()}
        short = {name: tensor if name == "previous" else tensor[:, :length] for name, tensor in one.items()}
        alone, _ = model(short)
        size = alone.shape[2]
        torch.testing.assert_close(together[row, :, :size], alone[0], **VALUE)


@pytest.mark.parametrize("options", KINDS)
def test_all_steps_at_once_and_one_by_one_give_the_same(options):
    model = build(**options)
    inputs = batch(options.get("copying"))
    scores, _ = model(inputs, LENGTHS)
    state, memory = model.encode(inputs, LENGTHS)
    step, rows = model.decoder.stepper(memory), torch.arange(3)
    for time in range(PREVIOUS.shape[1]):
        given, state = step(PREVIOUS[:, time], state, rows)
        torch.testing.assert_close(given, scores[:, time], **VALUE)


@pytest.mark.parametrize("options", KINDS)
def test_hypotheses_share_the_memory_of_their_sequence(options):
    model = build(**options)
    inputs = batch(options.get("copying"))
    state, memory = model.encode(inputs, LENGTHS)
    step = model.decoder.stepper(memory)
    kept = torch.tensor([0, 2])
    rows = kept.repeat_interleave(2)
    symbols = torch.tensor([1, 4, 2, 3])
    scores, _ = step(symbols, map_state(lambda part: part[:, rows], state), kept)
    for place, row in enumerate(rows.tolist()):
        alone = None if memory is None else memory.select(torch.tensor([row]))
        own = map_state(lambda part, row=row: part[:, [row]], state)
        expected, _ = model.decoder(symbols[place].view(1, 1), own, alone)
        size = min(expected.shape[2], scores.shape[1])
        torch.testing.assert_close(scores[place, :size], expected[0, 0, :size], **VALUE)


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [
        ({"cell": "lstm", "num_layers": 2}, {"cell": "gru"}),
        ({"cell": "gru", "bidirectional": False}, {"cell": "lstm", "num_layers": 2, "hidden_size": (4, 7)}),
        ({"cell": "rnn", "num_layers": 2, "hidden_size": (2, 3)}, {"cell": "rnn"}),
        ({"cell": "lstm", "projection_size": 2}, {"cell": "lstm", "initial_state": "learned"}),
    ],
)
def test_the_two_may_differ_in_cell_depth_and_width(encoder, decoder):
    model = build(encoder, decoder, attention="additive")
    scores, _ = model(batch(False), LENGTHS)
    assert scores.shape == (3, 4, 5)
    scores.sum().backward()
    assert all(
        parameter.grad is not None and parameter.grad.isfinite().all()
        for name, parameter in model.named_parameters()
        if not name.startswith("decoder.recurrent.initial_")
    )


def test_the_source_reaches_the_decoder_with_and_without_attention():
    for attention in ("none", "additive", "multiplicative"):
        model = build(attention=attention)
        scores, _ = model(batch(False), LENGTHS)
        other, _ = model(batch(False) | {"tokens": TOKENS.flip(0)}, LENGTHS.flip(0))
        assert not torch.allclose(scores, other)


def test_weights_are_a_distribution_over_the_real_steps():
    model = build(attention="additive", input_feeding=True)
    state, memory = model.encode(batch(False), LENGTHS)
    weights = model.decoder.unroll(PREVIOUS, state, memory).weights
    assert weights.shape == (3, 4, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4).double(), **VALUE)
    assert (weights[1, :, 2:] == 0).all()


def test_copying_gives_a_distribution_that_reaches_beyond_the_vocabulary():
    model = build(attention="multiplicative", copying=True, unknown=1)
    scores, _ = model(batch(True), LENGTHS)
    assert scores.shape[2] == 8
    torch.testing.assert_close(scores.exp().sum(-1), torch.ones(3, 4).double(), **VALUE)
    # Row 0 has the symbols 5 and 6, row 1 has 6 and 7, row 2 none that the vocabulary lacks.
    assert (scores[:, :, 5:].exp() > 1e-9).any(1).tolist() == [
        [True, True, False],
        [False, True, True],
        [False, False, False],
    ]


def test_what_was_copied_from_outside_the_vocabulary_is_read_as_unknown():
    model = build(attention="multiplicative", copying=True, unknown=1)
    copied = batch(True) | {"previous": torch.where(PREVIOUS == 4, 6, PREVIOUS)}
    read = batch(True) | {"previous": torch.where(PREVIOUS == 4, 1, PREVIOUS)}
    assert torch.equal(model(copied, LENGTHS)[0], model(read, LENGTHS)[0])


def test_sampling_rises_to_its_share_in_training_only():
    sampling = ScheduledSampling(share=0.5, ramp=4)
    assert [sampling() for _ in range(6)] == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]
    assert ScheduledSampling().train()() == 0
    assert sampling.eval()() == 0
    again = ScheduledSampling(share=0.5, ramp=4)
    again.load_state_dict(sampling.state_dict())
    assert again() == 0.5


def test_a_decoder_that_always_samples_reads_nothing_of_the_target():
    model = build(attention="additive")
    state, memory = model.encode(batch(False), LENGTHS)
    torch.manual_seed(1)
    one = model.decoder.unroll(PREVIOUS, state, memory, sampling=1.0).scores
    torch.manual_seed(1)
    other = model.decoder.unroll(torch.zeros_like(PREVIOUS), state, memory, sampling=1.0).scores
    assert torch.equal(one, other)
    read = model.decoder.unroll(PREVIOUS, state, memory).scores
    assert torch.equal(one[:, :1], model.decoder.unroll(PREVIOUS[:, :1], state, memory).scores)
    assert not torch.allclose(one[:, 1:], read[:, 1:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_feeding": True}, "input_feeding needs attention"),
        ({"copying": True}, "copying needs attention"),
        ({"attention": "soft"}, "expected attention to be one of none, additive, multiplicative"),
        ({"decoder": {"bidirectional": True}}, "bidirectional must be False"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        build(**options)

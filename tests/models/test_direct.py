"""The direct connection: what it says of a sequence, in one go, in windows and step by step."""

from math import sqrt

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.models.config import NetworkConfig
from unrolled.models.direct import DirectConnection
from unrolled.models.grams import stretches
from unrolled.models.inputs import TokenInput
from unrolled.models.many_to_one import ManyToOne

ROWS = st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=7), min_size=1, max_size=3)
LONGEST, OUTPUTS = 3, 2


def written_out(tokens, longest):
    """Every stretch of up to so many tokens, with the ends; neither end is one by itself."""
    row = [0, *tokens, 0]
    return [
        tuple(row[at : at + size])
        for size in range(1, longest + 1)
        for at in range(len(row) - size + 1)
        if any(row[at : at + size])
    ]


def hash_of(stretch):
    """As it is computed from the last token back, with whole numbers of any size."""
    hashed = stretch[-1] + 1
    for token in reversed(stretch[:-1]):
        hashed = (hashed * 1_000_003 + token + 1) % (2**31 - 1)
    return hashed


def both_places(hashed, places):
    return hashed % places, hashed * 16_807 % (2**31 - 1) % places


def connection(known, places=4096):
    """One that knows some stretches, each in a place of its own, with numbers drawn for it."""
    generator = torch.Generator().manual_seed(1)
    kept = {}
    for hashed in sorted({hash_of(each) for each in known}):
        place = next((at for at in both_places(hashed, places) if at not in kept), None)
        kept.update({} if place is None else {place: hashed})
    hashes = torch.tensor(list(kept.values()))
    counts = 1 + torch.rand(len(hashes), generator=generator, dtype=torch.float64)
    weight = torch.randn(len(hashes), OUTPUTS, generator=generator, dtype=torch.float64)
    made = DirectConnection("tokens", LONGEST, places, OUTPUTS).double()
    made.start(hashes, torch.tensor(list(kept)), counts, weight, torch.tensor([0.25, -1.0]))
    return made, dict(zip(hashes.tolist(), zip(counts, weight, strict=True), strict=True))


def said_by_hand(table, tokens):
    total, length = torch.zeros(OUTPUTS, dtype=torch.float64), 0.0
    for stretch in written_out(tokens, LONGEST):
        if hash_of(stretch) in table:
            count, weight = table[hash_of(stretch)]
            total, length = total + count * weight, length + float(count) ** 2
    return total / max(1.0, sqrt(length)) + torch.tensor([0.25, -1.0], dtype=torch.float64)


def padded(rows, beyond=0):
    steps = max(map(len, rows))
    return torch.tensor([row + [beyond] * (steps - len(row)) for row in rows])


@given(ROWS, st.integers(2, 5))
def test_stretches_are_those_of_a_sequence_with_its_ends(rows, longest):
    hashes, whole = stretches(padded([[*row, 0] for row in rows]), longest)
    for row, tokens in enumerate(rows):
        wanted = sorted(map(hash_of, written_out(tokens, longest)))
        assert sorted(hashes[row][whole[row]].tolist()) == wanted


@given(ROWS, ROWS, st.integers(0, 9))
def test_known_stretches_say_something_and_others_count_nothing(known, rows, beyond):
    direct, table = connection([each for row in known for each in written_out(row, LONGEST)])
    lengths = torch.tensor(list(map(len, rows)))
    said, _ = direct({"tokens": padded(rows, beyond)}, lengths)
    for row, tokens in enumerate(rows):
        torch.testing.assert_close(said[row], said_by_hand(table, tokens))


def test_a_stretch_in_the_place_of_another_is_not_taken_for_it():
    direct, _ = connection([(5,)], places=1)  # all meet there
    said, _ = direct({"tokens": torch.tensor([[6, 7], [5, 6]])}, torch.tensor([2, 2]))
    torch.testing.assert_close(said[0], direct.bias)
    assert not torch.equal(said[1], direct.bias)


@given(ROWS, st.integers(1, 6))
def test_windows_say_the_same_as_the_whole(rows, cut):
    direct, _ = connection([each for row in rows for each in written_out(row, LONGEST)])
    tokens, lengths = padded(rows), torch.tensor(list(map(len, rows)))
    whole, end = direct({"tokens": tokens}, lengths)
    cut = min(cut, tokens.shape[1])
    _, state = direct({"tokens": tokens[:, :cut]}, lengths.clamp(max=cut))
    later, again = direct({"tokens": tokens[:, cut:]}, (lengths - cut).clamp(min=0), state)
    torch.testing.assert_close(later, whole)
    assert torch.equal(end[0], again[0])
    torch.testing.assert_close(end[1], again[1])


def network(bidirectional=False):
    torch.manual_seed(0)
    asked = NetworkConfig(hidden_size=3, bidirectional=bidirectional)
    model = ManyToOne(TokenInput(10, 4), asked, OUTPUTS, "attention" if bidirectional else "last")
    model.connect(connection(written_out([5, 6, 7], LONGEST))[0])
    return model.double().eval()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_outputs_are_the_mean_of_both_and_in_training_the_networks_own(bidirectional):
    model, tokens, lengths = (
        network(bidirectional),
        torch.tensor([[5, 6, 7], [6, 7, 0]]),
        torch.tensor([3, 2]),
    )
    both, _ = model({"tokens": tokens}, lengths)
    assert model.direct is not None
    said, _ = model.direct({"tokens": tokens}, lengths)
    alone, _ = model.train()({"tokens": tokens}, lengths)
    torch.testing.assert_close(both, (alone + said) / 2)
    model.eval().direct.share.fill_(0)
    torch.testing.assert_close(model({"tokens": tokens}, lengths)[0], alone)


def test_its_weights_are_kept_and_not_trained():
    model = network().train()
    model({"tokens": torch.tensor([[5, 6]])})[0].sum().backward()
    assert not any("direct" in name for name, _ in model.named_parameters())
    assert model.state_dict().keys() >= {f"direct.{each}" for each in ("hashes", "counts", "weight", "bias")}


def test_a_stream_says_of_every_beginning_what_the_whole_call_says():
    model, tokens = network(), torch.tensor([[5, 6, 7, 5], [7, 7, 5, 6]])
    stream = model.stream(model.initial_state(2))
    assert stream is not None
    for step in range(4):
        found = stream.step({"tokens": tokens[:, step]})
        expected, state = model({"tokens": tokens[:, : step + 1]})
        torch.testing.assert_close(found, expected)
    stream.state = state  # go on from what a whole call gave
    torch.testing.assert_close(
        stream.step({"tokens": tokens[:, 0]}), model({"tokens": torch.cat([tokens, tokens[:, :1]], 1)})[0]
    )

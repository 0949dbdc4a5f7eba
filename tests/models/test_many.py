"""The two wirings with one input sequence: padding, state and what reads what."""

import pytest
import torch

from tests.tolerances import tolerance
from unrolled.models.config import NetworkConfig
from unrolled.models.inputs import CharacterEncoder, TokenEmbedding, TokenInput, ValueInput, WordInput
from unrolled.models.many_to_many import ManyToMany
from unrolled.models.many_to_one import ManyToOne

LENGTHS = torch.tensor([4, 1, 3])


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def values(batch=3, time=4):
    return {"values": torch.randn(batch, time, 2, dtype=torch.float64)}


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_sequence_alone_and_padded_give_the_same_output(pooling, bidirectional, skip, cell):
    config = NetworkConfig(
        cell=cell, hidden_size=(3, 4), num_layers=2, bidirectional=bidirectional, dropout=0.5
    )
    model = ManyToOne(ValueInput(2), config, 5, pooling, skip).double().eval()
    inputs = values()
    outputs, _ = model(inputs, LENGTHS)
    assert outputs.shape == (3, 5)
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model({"values": inputs["values"][row : row + 1, :length]})
        torch.testing.assert_close(alone[0], outputs[row], **tolerance(torch.float64, "value"))


def test_last_state_can_be_reached_in_windows():
    model = ManyToOne(ValueInput(2), NetworkConfig(hidden_size=3), 2, "last").double().eval()
    inputs = values(time=6)
    whole, _ = model(inputs)
    _, state = model({"values": inputs["values"][:, :4]})
    later, _ = model({"values": inputs["values"][:, 4:]}, state=state)
    torch.testing.assert_close(later, whole, **tolerance(torch.float64, "value"))


@pytest.mark.parametrize(
    ("bidirectional", "pooling", "skip", "causal"),
    [
        (False, "last", False, True),
        (True, "last", False, False),
        (False, "mean", False, False),
        (False, "last", True, False),
    ],
)
def test_many_to_one_is_causal_only_where_windows_suffice(bidirectional, pooling, skip, causal):
    config = NetworkConfig(hidden_size=2, bidirectional=bidirectional)
    assert ManyToOne(ValueInput(2), config, 2, pooling, skip).causal is causal


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagged_sequence_alone_and_padded_agree(crf):
    model = ManyToMany(ValueInput(2), NetworkConfig(hidden_size=3, bidirectional=True), 4, crf).double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight)
    inputs = values()
    outputs, _ = model(inputs, LENGTHS)
    assert outputs.shape == ((3, 4, 4, 4) if crf else (3, 4, 4))
    for row, length in enumerate(LENGTHS.tolist()):
        alone, _ = model({"values": inputs["values"][row : row + 1, :length]})
        torch.testing.assert_close(alone[0], outputs[row, :length], **tolerance(torch.float64, "value"))


def test_characters_tell_unknown_words_apart_and_padding_does_not_reach_them():
    encoder = CharacterEncoder(10, 4, 3).double()
    words = torch.tensor([[[2, 3, 4], [2, 3, 0]], [[2, 3, 0], [0, 0, 0]]])
    vectors = encoder(words)
    assert vectors.shape == (2, 2, 6)
    assert torch.equal(vectors[0, 1], vectors[1, 0])
    assert not torch.allclose(vectors[0, 0], vectors[0, 1])
    assert not vectors[1, 1].any()
    wider = torch.cat([words, torch.zeros(2, 2, 3, dtype=torch.int64)], dim=2)
    torch.testing.assert_close(encoder(wider), vectors, **tolerance(torch.float64, "value"))


def test_word_vectors_stand_beside_character_vectors():
    layer = WordInput(TokenEmbedding(10, 5), CharacterEncoder(10, 4, 3)).eval()
    inputs = {"words": torch.tensor([[2, 1]]), "characters": torch.tensor([[[2, 3], [4, 0]]])}
    assert layer.size == 11
    assert layer(inputs).shape == (1, 2, 11)
    assert torch.equal(layer(inputs)[0, 0, :5], layer.words.table.weight[2])


def test_unknown_dropout_replaces_words_in_training_only_and_never_padding():
    embedding = TokenEmbedding(10, 3, unknown_dropout=0.5)
    tokens = torch.full((1, 1000), 5)
    unknown, word = embedding.table.weight[1], embedding.table.weight[5]
    dropped = (embedding(tokens) == unknown).all(-1)
    assert 0.4 < dropped.float().mean() < 0.6
    assert not embedding(torch.zeros(1, 1000, dtype=torch.int64)).any()
    assert (embedding.eval()(tokens) == word).all()


def test_embedding_of_padding_gets_no_gradient():
    layer = TokenInput(5, 3)
    layer({"tokens": torch.tensor([[2, 0]])}).sum().backward()
    gradient = layer.embedding.table.weight.grad
    assert gradient[2].all()
    assert not gradient[0].any()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_cell_takes_the_options_that_it_has(cell):
    activation = {"activation": "relu"} if cell == "rnn" else {}
    config = NetworkConfig(cell=cell, hidden_size=2, forget_bias=1.0, **activation)
    layer = ManyToOne(ValueInput(2), config, 2).recurrent
    assert type(layer).__name__ == cell.upper()
    assert layer.nonlinearity == ("relu" if cell == "rnn" else "tanh")

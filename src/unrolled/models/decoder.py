"""Writes a sequence symbol by symbol from a state, looking at a memory where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers.attention import Memory, build_attention
from unrolled.layers.state import State
from unrolled.models.config import AttentionKind, NetworkConfig
from unrolled.models.one_to_one import build_causal


class Decoded(NamedTuple):
    """What a decoder made of some symbols.

    Attributes:
        scores: of the next symbol at every step, ``(batch, time, vocabulary)``; log-probabilities, over more
            symbols, where the decoder copies.
        weights: of the memory's steps, ``(batch, time, memory)``; None without attention.
        state: after the last step.
    """

    scores: Tensor
    weights: Tensor | None
    state: State


class Decoder(nn.Module):
    """A language model that starts from a given state and may attend to a memory at every step.

    With attention the recurrent layers' output ``h_t`` is the query, and what is scored is
    ``tanh(W [context_t; h_t])`` (Luong et al. 2015, equations 5 and 6). With input feeding that vector also
    joins the next step's input (section 3.3). Without it, and without sampling, all steps are one call of
    the recurrent layers.

    A state is that of the recurrent layers; with input feeding the pair of it and the vector fed back.

    Args:
        vocabulary: the number of symbols.
        embedding_size: the width of a symbol's vector.
        network: the recurrent layers, which read forwards; its dropout also acts on the vectors of symbols
            and before the output.
        memory_size: features of the memory's vectors.
        attention: how the memory is attended to; "none" for none.
        input_feeding: tell each step what the one before looked at.
        copying: let symbols of the memory be copied (the pointer-generator of See, Liu and Manning 2017,
            equations 8 and 9), those too that the vocabulary lacks: a memory's symbol with the number
            ``vocabulary + n`` is the n-th such symbol of its row.
        unknown: the symbol that the decoder reads in place of one that it copied from outside its vocabulary.

    Raises:
        ConfigError: a bidirectional network; input feeding or copying without attention.

    Example:
        >>> network = NetworkConfig(cell="gru", hidden_size=6)
        >>> decoder = Decoder(10, 4, network, memory_size=8, attention="additive")
        >>> memory = decoder.remember(torch.randn(2, 5, 8), torch.tensor([5, 3]))
        >>> scores, state = decoder(torch.zeros(2, 7, dtype=torch.int64), decoder.initial_state(2), memory)
        >>> scores.shape
        torch.Size([2, 7, 10])
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_size: int,
        network: NetworkConfig,
        *,
        memory_size: int = 0,
        attention: AttentionKind = "none",
        input_feeding: bool = False,
        copying: bool = False,
        unknown: int | None = None,
    ) -> None:
        super().__init__()
        for name, asked in {"input_feeding": input_feeding, "copying": copying}.items():
            if asked and attention == "none":
                raise ConfigError(f"{name} needs attention: expected additive or multiplicative, got none")
        width = network.output_size
        self.vocabulary = vocabulary
        self.width = width
        self.input_feeding = input_feeding
        self.unknown = 0 if unknown is None else unknown
        self.embedding = nn.Embedding(vocabulary, embedding_size)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.recurrent = build_causal(embedding_size + (width if input_feeding else 0), network)
        self.dropout = nn.Dropout(network.dropout)
        self.attention = build_attention(attention, width, memory_size)
        attends = self.attention is not None
        self.combine = nn.Linear(memory_size + width, width, bias=False) if attends else None
        self.output = nn.Linear(width, vocabulary)
        self.generate = nn.Linear(memory_size + width + embedding_size, 1) if copying else None

    def initial_state(self, batch_size: int) -> State:
        """The state of a decoder that nothing is known to."""
        return self.start(self.recurrent.initial_state(batch_size))

    def start(self, recurrent: State) -> State:
        """The state before the first step, from that of the recurrent layers."""
        if not self.input_feeding:
            return recurrent
        part = recurrent
        while isinstance(part, tuple):
            part = part[0]
        return recurrent, part.new_zeros(1, part.shape[1], self.width)

    def remember(
        self, values: Tensor, lengths: Tensor | None = None, symbols: Tensor | None = None
    ) -> Memory | None:
        """The memory to attend to, prepared once; None where the decoder does not attend.

        Args:
            values: ``(batch, memory, memory_size)``.
            lengths: ``(batch,)`` the real steps of every row; None: all.
            symbols: ``(batch, memory)`` the symbol that each step stands for, to be copied.
        """
        if self.attention is None:
            return None
        return self.attention.remember(values, lengths, symbols)

    def forward(
        self, previous: Tensor, state: State, memory: Memory | None = None, sampling: float = 0.0
    ) -> tuple[Tensor, State]:
        """Scores of the next symbol at every step, and the state after the last; see `unroll`."""
        decoded = self.unroll(previous, state, memory, sampling)
        return decoded.scores, decoded.state

    def unroll(
        self, previous: Tensor, state: State, memory: Memory | None = None, sampling: float = 0.0
    ) -> Decoded:
        """Run over some steps.

        Args:
            previous: ``(batch, time)``, the symbol before each step.
            state: before the first step.
            memory: of ``batch`` rows, or of fewer: then every row of it serves equally many neighbouring rows
                of the batch, its hypotheses.
            sampling: the share of symbols after the first that are replaced by one drawn from the decoder's
                own scores (scheduled sampling, Bengio et al. 2015).
        """
        if not self.input_feeding and not sampling:
            return self._run(previous, state, memory)
        steps: list[Decoded] = []
        for step, given in enumerate(previous.unbind(1)):
            symbols = given
            if step and sampling:
                drawn = torch.multinomial(steps[-1].scores[:, 0].detach().softmax(-1), 1).squeeze(1)
                symbols = torch.where(torch.rand(given.shape, device=given.device) < sampling, drawn, given)
            steps.append(self._run(symbols.unsqueeze(1), state, memory))
            state = steps[-1].state
        scores, weights, _ = zip(*steps, strict=True)
        return Decoded(torch.cat(scores, 1), None if weights[0] is None else torch.cat(weights, 1), state)

    def stepper(
        self, memory: Memory | None = None
    ) -> Callable[[Tensor, State, Tensor], tuple[Tensor, State]]:
        """The decoder as a search takes it: see ``Step`` in `unrolled.tasks.writing.beam_search`."""
        current, shown = memory, None

        def step(symbols: Tensor, state: State, sequences: Tensor) -> tuple[Tensor, State]:
            nonlocal current, shown
            if memory is not None and sequences is not shown:
                current, shown = memory.select(sequences), sequences
            scores, state = self(symbols.unsqueeze(1), state, current)
            return scores[:, 0], state

        return step

    def _run(self, symbols: Tensor, state: State, memory: Memory | None) -> Decoded:
        """All steps in one call of the recurrent layers; with input feeding there is one step."""
        embedded = self.dropout(self.embedding(torch.where(symbols < self.vocabulary, symbols, self.unknown)))
        read, recurrent = embedded, state
        if self.input_feeding:
            recurrent, fed = cast("tuple[State, Tensor]", state)
            read = torch.cat([embedded, fed.transpose(0, 1)], dim=-1)
        hidden, recurrent = self.recurrent(read, recurrent)
        vector, context, weights = self._attend(hidden, memory)
        scores = self.output(self.dropout(vector))
        if self.generate is not None and memory is not None and weights is not None:
            own = self.generate(torch.cat([context, hidden, embedded], dim=-1))
            scores = _mixed(scores, own, weights, memory)
        after = (recurrent, vector.transpose(0, 1)) if self.input_feeding else recurrent
        return Decoded(scores, weights, after)

    def _attend(self, hidden: Tensor, memory: Memory | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """The vector to score, what was seen in the memory, and the weights."""
        if self.attention is None or self.combine is None or memory is None:
            return hidden, hidden, None
        rows, time, _ = hidden.shape
        # Hypotheses of one sequence ask its memory together, as further steps.
        context, weights = self.attention(hidden.reshape(memory.real.shape[0], -1, self.width), memory)
        context, weights = (part.reshape(rows, time, -1) for part in (context, weights))
        return torch.tanh(self.combine(torch.cat([context, hidden], dim=-1))), context, weights


def _mixed(scores: Tensor, own: Tensor, weights: Tensor, memory: Memory) -> Tensor:
    """Log-probabilities of writing a symbol oneself or copying it, over the symbols of both kinds."""
    assert memory.symbols is not None
    rows, time, vocabulary = scores.shape
    # Each step of a memory stands for one symbol of its row outside of the vocabulary at most; in a graph,
    # whose sizes must not depend on what is read, there is room for that many.
    further = memory.symbols.shape[1]
    if not torch.compiler.is_exporting():
        further = max(0, int(memory.symbols.max()) + 1 - vocabulary)
    written = nn.functional.pad(own.sigmoid() * scores.softmax(-1), (0, further))
    hypotheses = rows // memory.symbols.shape[0]
    symbols = memory.symbols.repeat_interleave(hypotheses, 0).unsqueeze(1).expand(rows, time, -1)
    mixed = written.scatter_add(-1, symbols, (-own).sigmoid() * weights)
    return mixed.clamp(min=torch.finfo(mixed.dtype).tiny).log()

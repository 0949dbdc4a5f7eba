"""Writing text with a language model, on after many prompts at once, a token of each at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from unrolled.data.tokenizer import Tokenizer
from unrolled.layers.state import State, map_state
from unrolled.models.one_to_one import LanguageModel
from unrolled.tasks.beam_search import beam_search
from unrolled.tasks.generation.config import WritingConfig
from unrolled.tasks.generation.stops import until
from unrolled.tasks.sampling import Sampling

_LONGEST_CHARACTER = 4
"""Bytes that a character may take, and so tokens by which text may lag behind."""


class TextWriter:
    """Writes on after prompts.

    Args:
        model: a language model.
        tokenizer: its alphabet.
        options: of the writing. Prompt number i is written on with the seed ``options.seed + i``, so what
            follows a prompt does not depend on those beside it.
    """

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, options: WritingConfig) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.options = options
        self.device = next(model.parameters()).device

    def stream(self, prompt: str) -> Iterator[str]:
        """What follows one prompt, a piece at a time as soon as it is made; a beam's comes as a whole."""
        if self.options.beam:
            yield from self.write([prompt])
            return
        tokens = (token for made in self._drawn([prompt]) for token in made.values())
        yield from until(self.options.stop, self._text(tokens))

    def write(self, prompts: Sequence[str]) -> list[str]:
        """What follows each prompt; all of them advance together as one batch."""
        if not prompts:
            return []
        tokens = self._searched(prompts) if self.options.beam else self._collected(prompts)
        return ["".join(until(self.options.stop, self._text(each))) for each in tokens]

    def _begin(self, prompts: Sequence[str]) -> tuple[Tensor, State]:
        """Scores after each prompt, read in one go, ``(batch, vocabulary)``, and the state."""
        read = [[self.tokenizer.end, *self.tokenizer.encode(prompt).tolist()] for prompt in prompts]
        lengths = torch.tensor([len(tokens) for tokens in read])
        padded = torch.nn.utils.rnn.pad_sequence(list(map(torch.tensor, read)), batch_first=True)
        return self._advance(padded, self.model.initial_state(len(read)), lengths.to(self.device))

    def _advance(self, tokens: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        with torch.no_grad():
            scores, state = self.model({"tokens": tokens.to(self.device)}, lengths, state)
        last = scores[:, -1] if lengths is None else scores[torch.arange(len(lengths)), lengths - 1]
        return self._writable(last), state

    def _writable(self, scores: Tensor) -> Tensor:
        scores = scores.float()
        if self.tokenizer.unknown is not None:
            scores[:, self.tokenizer.unknown] = -math.inf  # there is nothing to write for it
        return scores

    def _drawn(self, prompts: Sequence[str]) -> Iterator[dict[int, int]]:
        """The next token of each prompt that still goes on, by its number; those that end are left out.

        Numbers taken out of what was yielded go on no further.
        """
        options = self.options
        sampling = Sampling(options.temperature, options.top_k, options.top_p)
        generators = [torch.Generator().manual_seed(options.seed + row) for row in range(len(prompts))]
        scores, state = self._begin(prompts)
        stream = self.model.stream(state)
        open_rows = list(range(len(prompts)))
        for made in range(1, options.length + 1):
            uniform = torch.cat([torch.rand(1, generator=generators[row]) for row in open_rows])
            tokens = sampling.draw(scores, uniform.to(self.device))
            drawn = dict(zip(open_rows, tokens.tolist(), strict=True))
            going = {row: token for row, token in drawn.items() if token != self.tokenizer.end}
            yield going
            if not going or made == options.length:
                return
            if len(going) < len(open_rows):
                kept = torch.tensor([place for place, row in enumerate(open_rows) if row in going])
                kept = kept.to(self.device)
                tokens = tokens[kept]
                state = map_state(lambda part, kept=kept: part.index_select(1, kept), stream.state)
                stream = self.model.stream(state)
                open_rows = list(going)
            scores = self._writable(stream.step({"tokens": tokens}))

    def _collected(self, prompts: Sequence[str]) -> list[list[int]]:
        written: list[list[int]] = [[] for _ in prompts]
        stop = self.options.stop
        lately = len(stop) + _LONGEST_CHARACTER
        for going in self._drawn(prompts):
            for row, token in list(going.items()):
                written[row].append(token)
                if stop and stop in self.tokenizer.decode(written[row][-lately:]):
                    del going[row]
        return written

    def _searched(self, prompts: Sequence[str]) -> list[Sequence[int]]:
        scores, state = self._begin(prompts)

        def step(tokens: Tensor, state: State, sequences: Tensor) -> tuple[Tensor, State]:
            return self._advance(tokens[:, None], state)

        options = self.options
        found = beam_search(step, scores, state, options.beam, options.length, self.tokenizer.end)
        return [best.symbols[:-1] if best.finished else best.symbols for best, *_ in found]

    def _text(self, tokens: Iterable[int]) -> Iterator[str]:
        """Text as soon as it is whole: a character may need several bytes."""
        pending: list[int] = []
        for token in tokens:
            pending.append(token)
            text = self.tokenizer.decode(pending)
            if not text.endswith("\N{REPLACEMENT CHARACTER}") or len(pending) >= _LONGEST_CHARACTER:
                yield text
                pending = []
        if pending:
            yield self.tokenizer.decode(pending)

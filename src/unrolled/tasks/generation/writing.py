"""Writing with a model of what comes next: text on after many prompts at once, a token of each at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from unrolled.data.buckets import pad
from unrolled.data.tokenizer import Tokenizer
from unrolled.layers.state import State, map_state
from unrolled.models.one_to_one import LanguageModel
from unrolled.models.streaming import ModelStream
from unrolled.tasks.generation.config import WritingConfig
from unrolled.tasks.writing.beam_search import beam_search
from unrolled.tasks.writing.sampling import Sampling

_LONGEST_CHARACTER = 4
"""Bytes that a character may take, and so tokens by which text may lag behind."""


class TextWriter:
    """Writes on after prompts.

    Args:
        model: a language model.
        tokenizer: its alphabet; a prompt is its tokens, after the one that ends a text before it.
        options: of the writing. Prompt number i is written on with the seed ``options.seed + i``, so what
            follows a prompt does not depend on those beside it.
    """

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer, options: WritingConfig) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.options = options
        self.device = next(model.parameters()).device

    def stream(self, prompt: np.ndarray) -> Iterator[int]:
        """The tokens that follow one prompt, each as soon as it is made; a beam's come at the end."""
        if self.options.beam:
            (found,) = self.write([prompt])
            yield from found
            return
        for made in self._drawn([prompt]):
            yield from made.values()

    def write(self, prompts: Sequence[np.ndarray]) -> list[Sequence[int]]:
        """The tokens that follow each prompt; all of them advance together as one batch."""
        if not prompts:
            return []
        return self._searched(prompts) if self.options.beam else list(self._collected(prompts))

    def _begin(self, prompts: Sequence[np.ndarray]) -> tuple[Tensor, State]:
        """Scores after each prompt, read in one go, ``(batch, vocabulary)``, and the state."""
        lengths = torch.tensor([len(tokens) for tokens in prompts])
        padded = pad(prompts)
        return self._advance(padded, self.model.initial_state(len(prompts)), lengths.to(self.device))

    def _advance(self, tokens: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        with torch.no_grad():
            scores, state = self.model({"tokens": tokens.to(self.device)}, lengths, state)
        last = scores[:, -1] if lengths is None else scores[torch.arange(len(lengths)), lengths - 1]
        return writable(last, self.tokenizer), state

    def _drawn(self, prompts: Sequence[np.ndarray]) -> Iterator[dict[int, int]]:
        """The next token of each prompt that still goes on, by its number; those that end are left out.

        Numbers taken out of what was yielded go on no further.
        """
        options = self.options
        sampling = Sampling(options.temperature, options.top_k, options.top_p)
        generators = [torch.Generator().manual_seed(options.seed + row) for row in range(len(prompts))]
        scores, state = self._begin(prompts)
        stream = ModelStream(self.model, state)
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
                stream = ModelStream(self.model, state)
                open_rows = list(going)
            scores = writable(stream.step({"tokens": tokens}), self.tokenizer)

    def _collected(self, prompts: Sequence[np.ndarray]) -> list[list[int]]:
        written: list[list[int]] = [[] for _ in prompts]
        stop = self.options.stop
        lately = len(stop) + _LONGEST_CHARACTER
        for going in self._drawn(prompts):
            for row, token in list(going.items()):
                written[row].append(token)
                if stop and stop in self.tokenizer.decode(written[row][-lately:]):
                    del going[row]
        return written

    def _searched(self, prompts: Sequence[np.ndarray]) -> list[Sequence[int]]:
        scores, state = self._begin(prompts)

        def step(tokens: Tensor, state: State, sequences: Tensor) -> tuple[Tensor, State]:
            return self._advance(tokens[:, None], state)

        options = self.options
        found = beam_search(step, scores, state, options.beam, options.length, self.tokenizer.end)
        return [best.symbols[:-1] if best.finished else best.symbols for best, *_ in found]


def text_of(tokens: Iterable[int], tokenizer: Tokenizer) -> Iterator[str]:
    """Text as soon as it is whole: a character may need several bytes."""
    pending: list[int] = []
    for token in tokens:
        pending.append(token)
        if is_whole(pending, tokenizer):
            yield tokenizer.decode(pending)
            pending = []
    if pending:
        yield tokenizer.decode(pending)


def is_whole(tokens: Sequence[int], tokenizer: Tokenizer) -> bool:
    """Whether tokens end with a whole character, or will not any more."""
    unfinished = tokenizer.decode(list(tokens)).endswith("\N{REPLACEMENT CHARACTER}")
    return not unfinished or len(tokens) >= _LONGEST_CHARACTER


def writable(scores: Tensor, tokenizer: Tokenizer) -> Tensor:
    """Scores ``(batch, vocabulary)`` without the unknown token, for which there is nothing to write."""
    scores = scores.float()
    if tokenizer.unknown is not None:
        scores[:, tokenizer.unknown] = -math.inf
    return scores


def chosen_notes(logits: Tensor, temperature: float, uniform: Tensor) -> Tensor:
    """Which notes sound, ``(batch, keys)``, each drawn by itself."""
    if temperature == 0:
        return logits > 0
    return uniform < (logits / temperature).sigmoid()

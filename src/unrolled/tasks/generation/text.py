"""Writing text: language models over characters, bytes, words or byte pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from unrolled.data.buckets import Encoded
from unrolled.data.corpus import Corpus, encode_corpus
from unrolled.data.loading import load_documents
from unrolled.data.midi import tones_of_abc
from unrolled.data.streams import StreamLoader
from unrolled.data.text import open_text
from unrolled.data.tokenizer import Tokenizer, fit_tokenizer, tokenizer_from_dict
from unrolled.data.tones import wav_of_tones
from unrolled.errors import ConfigError
from unrolled.layers.state import detach_state, reset_rows
from unrolled.models.base import SequenceModel
from unrolled.models.one_to_one import LanguageModel
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.ngram import WittenBell
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.generation.config import GenerateConfig, WritingConfig
from unrolled.tasks.generation.medium import Medium
from unrolled.tasks.generation.stops import until
from unrolled.tasks.generation.streaming import TextStream
from unrolled.tasks.generation.texts import Texts
from unrolled.tasks.generation.writing import TextWriter, text_of
from unrolled.tasks.inputs.schema import TextSchema
from unrolled.tasks.shares import Part, Shares
from unrolled.training.loss import CrossEntropy
from unrolled.training.processes import divided, dividing

_WINDOW = 1024
"""Tokens read at once when text is scored; the result does not depend on it."""
_CARRIED = 200_000
"""Tokens over which scoring carries the state without a break; longer text is read at several places."""
_NGRAM_TOKENS = 5_000_000
"""Tokens that the n-gram baseline learns from at most, so that it stays small beside the model."""
_PREDICTED = 1_000_000
"""Tokens that the n-gram predicts at once, so that its arrays stay small."""
_SMALL = 100
"""Characters below which a text is not divided."""
_QUICKLY_READ = 200_000
"""Characters that can be encoded once more without being noticed."""
_COUNTED = 10_000_000
"""Tokens looked through at once, so that a memory map stays one."""
_UNITS = {"character": "characters", "byte": "bytes", "word": "words", "bpe": "byte pairs"}


class TextMedium(Medium[Texts]):
    """Text by characters, bytes, words or byte pairs.

    Args:
        unit: what a token is.
        backwards: read texts from their last token to their first.
    """

    baseline = WittenBell

    def __init__(self, unit: str, backwards: bool = False) -> None:
        self.unit, self.backwards = unit, backwards
        self._tokenizer: Tokenizer | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        """What makes numbers of text, once prepared."""
        if self._tokenizer is None:
            raise ConfigError("the text has no tokenizer yet; call fit(train) first")
        return self._tokenizer

    def read(self, data: Any, config: GenerateConfig, part: Part) -> Texts:
        """A file, a folder of files, a table's column, or a list of texts."""
        if not isinstance(data, str | Path):
            return Texts([[text] for text in data], "the given texts")
        documents = load_documents(
            data, document=config.document, text=config.text_column, unit=self.unit, form=config.table_form()
        )
        return Texts(documents, str(data), notes=getattr(documents, "notes", ()))

    def hold_out(self, data: Texts, config: GenerateConfig) -> Shares[Texts]:
        """The last share, by position; nothing of a text too small to be divided."""
        size = data.characters
        if size < _SMALL:
            sentence = (
                f"No dev data was given, and {size} characters are too few to hold some out: the scores are"
            )
            return Shares(data, data, f"{sentence} on the training text itself.", "the training data itself")
        sentence = f"No dev data was given: the last {config.holdout:.0%} of the text is held out."
        return Shares(*data.split(config.holdout), sentence)

    def prepare(self, train: Texts, config: GenerateConfig) -> None:
        """Fit the tokenizer."""
        self._tokenizer = fit_tokenizer(
            train, self.unit, max_size=config.vocabulary_size, min_count=config.min_count
        )

    def described(self, train: Texts, held_out: Texts) -> list[str]:
        """The unit, the number of symbols, and how much text there is."""
        read = f"{train.characters:,} characters to train on, {held_out.characters:,} to choose the best by"
        return [f"text by {self.tokenizer.unit}, {self.tokenizer.size:,} symbols", read]

    def build_model(self, config: GenerateConfig) -> LanguageModel:
        """A language model with as many outputs as there are tokens."""
        size = config.embedding_size or (256 if self.unit in ("word", "bpe") else 64)
        return LanguageModel(self.tokenizer.size, size, config, config.tied)

    def loader(
        self, data: Texts, config: GenerateConfig, *, shuffle: bool, shard: tuple[int, int]
    ) -> StreamLoader:
        """Windows of the text, each row continuing its own place."""
        if config.window is None:
            raise ConfigError("window must be given to train on running text, got None")
        corpus = self._corpus(data)
        # Short text is read at fewer places, so that each has a few windows to carry its state over.
        windows = int((-(-np.diff(corpus.documents) // config.window)).sum())
        rows = min(config.batch_size, max(1, windows // 4))
        return StreamLoader(corpus, rows, config.window, seed=config.seed, shuffle=shuffle, shard=shard)

    def _corpus(self, data: Texts, most: int | None = None) -> Corpus:
        return encode_corpus(data, self.tokenizer, most=most, backwards=self.backwards)

    def updates(self, train: Texts, config: GenerateConfig) -> int | None:
        """The windows that each row reads in an epoch."""
        if train.characters > _QUICKLY_READ:
            return None
        return len(self.loader(train, config, shuffle=False, shard=(0, 1)))

    def loss(self, config: GenerateConfig) -> CrossEntropy:
        """Nats of a token."""
        return CrossEntropy(config.loss_reduction)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Nats per character (or byte)."""
        return f"nats_per_{self._measure}", "min"

    @property
    def _measure(self) -> str:
        return "byte" if self.unit == "byte" else "character"

    def scorer(self, model: SequenceModel, data: Texts) -> Callable[[], Scored]:
        """Reads the text from its start to its end, the state carried all along."""
        corpus, characters = self._corpus(data), data.characters
        rows = min(64, -(-len(corpus) // _CARRIED))
        unknown = self._unknown_share(corpus)

        def score() -> Scored:
            count = dividing() if rows % dividing() == 0 else 1
            parts = [
                StreamLoader(corpus, rows // count, _WINDOW, shuffle=False, shard=(part, count))
                for part in range(count)
            ]
            nats = math.fsum(divided(parts, lambda part: negative_log_likelihood(model, part)))
            (written,) = self.write(model, [""], WritingConfig.model_validate({"length": 300}))
            return Scored(
                self._scores(nats, len(corpus), characters) | unknown,
                len(corpus),
                _UNITS[self.unit],
                ({"prompt": "", "written": written},),
            )

        return score

    def _scores(self, nats: float, tokens: int, characters: int) -> dict[str, float]:
        """Scores per character compare across units; a document's end costs nats but is no character."""
        scores = {
            f"nats_per_{self._measure}": nats / characters,
            f"bits_per_{self._measure}": nats / characters / math.log(2),
        }
        if self.unit in ("word", "bpe"):
            scores["nats_per_token"] = nats / tokens
        # A hopeless model on long tokens would overflow.
        return scores | {"perplexity": math.exp(min(nats / tokens, 700))}

    def _unknown_share(self, corpus: Corpus) -> dict[str, float]:
        """The share of tokens that training has not seen, where there are any.

        Such a token costs the nats of the unknown symbol, whatever it is made of: with many of them the other
        scores look better than they are.
        """
        unknown = self.tokenizer.unknown
        if unknown is None:
            return {}
        parts = (corpus.tokens[start : start + _COUNTED] for start in range(0, len(corpus), _COUNTED))
        found = sum(int(np.count_nonzero(part == unknown)) for part in parts)
        return {"unknown_share": found / len(corpus)} if found else {}

    def fit_baseline(self, train: Texts, config: GenerateConfig) -> tuple[Baseline, str]:
        """A Witten-Bell n-gram over the same tokens."""
        order = config.ngram_order or (3 if self.unit in ("word", "bpe") else 5)
        corpus = self._corpus(train, most=_NGRAM_TOKENS + 1)
        model = WittenBell(self.tokenizer.size, order).fit(_documents(corpus, _NGRAM_TOKENS))
        part = "" if len(corpus) <= _NGRAM_TOKENS else f", on the first {_NGRAM_TOKENS:,} tokens"
        return model, f"The baseline is a Witten-Bell n-gram of order {order}{part}."

    def score_baseline(self, baseline: Baseline, data: Texts) -> Mapping[str, float]:
        """The n-gram's scores on the same tokens."""
        corpus, ngram = self._corpus(data), cast(WittenBell, baseline)
        nats = 0.0
        for pieces in _pieces(corpus, ngram.order - 1):
            log_probabilities = ngram.log_probabilities([piece for piece, _ in pieces])
            ends = np.cumsum([len(piece) for piece, _ in pieces])
            parts = np.split(log_probabilities, ends[:-1])
            nats -= sum(float(part[seen:].sum()) for part, (_, seen) in zip(parts, pieces, strict=True))
        return self._scores(nats, len(corpus), data.characters) | self._unknown_share(corpus)

    def vocabularies(self) -> dict[str, Any]:
        """The tokenizer."""
        return self.tokenizer.to_dict()

    def restore(self, vocabularies: Any) -> None:
        """Take up a saved tokenizer."""
        self._tokenizer = tokenizer_from_dict(vocabularies)

    def prompts(self, data: Any) -> Iterable[str]:
        """Every line of a file, or every text of a list."""
        if isinstance(data, str | Path):
            with open_text(data) as file:
                return [line.rstrip("\r\n") for line in file]
        return data

    def stream(self, model: SequenceModel, prompt: Any, options: WritingConfig) -> Iterator[str]:
        """Text that follows ``prompt``, a token at a time; a beam's comes in one piece.

        Raises:
            ConfigError: the model reads backwards.
        """
        self._require_forwards("text that is shown as it is written")
        (item,) = self.encode([prompt])
        writer = TextWriter(cast(LanguageModel, model), self.tokenizer, options)
        return until(options.stop, text_of(writer.stream(item.inputs["tokens"]), self.tokenizer))

    def step_by_step(self, model: SequenceModel, options: WritingConfig) -> TextStream:
        """A token a step.

        Raises:
            ConfigError: the model reads backwards.
        """
        self._require_forwards("text that is written step by step")
        return TextStream(model, self.tokenizer, options)

    def schema(self) -> TextSchema:
        """A text, which may be empty."""
        return TextSchema(blank=True)

    def encode(self, prompts: Iterable[str]) -> list[Encoded]:
        """The tokens of each prompt, in the order in which they are read, after one that ends a text."""
        order = -1 if self.backwards else 1
        read = (np.append(self.tokenizer.end, self.tokenizer.encode(prompt)[::order]) for prompt in prompts)
        return [Encoded({"tokens": tokens.astype(np.int64)}, np.zeros(0)) for tokens in read]

    def run(
        self, model: SequenceModel, items: Sequence[Encoded], options: WritingConfig
    ) -> list[Sequence[int]]:
        """The tokens that follow each prompt, in the order in which they are written."""
        if options.stop:
            self._require_forwards("a text to stop before")
        writer = TextWriter(cast(LanguageModel, model), self.tokenizer, options)
        return writer.write([item.inputs["tokens"] for item in items])

    def decode(self, outputs: Iterable[Sequence[int]], options: WritingConfig) -> list[str]:
        """The text of the tokens, up to where it is to stop."""
        if self.backwards:
            return [self.tokenizer.decode(tokens[::-1]) for tokens in outputs]
        return ["".join(until(options.stop, text_of(tokens, self.tokenizer))) for tokens in outputs]

    def _require_forwards(self, what: str) -> None:
        if self.backwards:
            raise ConfigError(
                f"expected a model that reads forwards for {what}, got one that writes what stands before a "
                "text, which is whole at its end alone; give the texts as DATA"
            )

    def file(self, made: Any, suffix: str, config: GenerateConfig, tempo: float) -> bytes | str:
        """The text; or, of a tune in ABC notation, a WAV file of how it sounds at its own tempo."""
        return wav_of_tones(tones_of_abc(made)) if suffix == ".wav" else made


def negative_log_likelihood(model: SequenceModel, loader: StreamLoader) -> float:
    """Nats of all tokens of a stream, the state carried from batch to batch."""
    device = next(model.parameters()).device
    state, nats = None, 0.0
    with torch.no_grad():
        for batch in loader.batches(epoch=0):
            batch = batch.to(device)
            if state is not None and batch.starts is not None:
                state = reset_rows(state, batch.starts, model.initial_state(batch.size))
            scores, state = model(batch.inputs, batch.lengths, state)
            state = detach_state(state)
            real = torch.arange(batch.time, device=device) < batch.lengths[:, None]
            losses = functional.cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), reduction="none")
            nats += float(losses[real.flatten()].double().sum())
    return nats


def _pieces(corpus: Corpus, context: int) -> Iterator[list[tuple[NDArray[np.int64], int]]]:
    """The documents cut into pieces, some at a time, each after what it is predicted from.

    Args:
        corpus: the documents; each is given the end token to start from.
        context: tokens that a prediction sees.

    Yields:
        For each piece its tokens, and how many of them are there to be seen and not to be predicted.
    """
    ready: list[tuple[NDArray[np.int64], int]] = []
    held = 0
    for start, stop in pairwise(corpus.documents.tolist()):
        for begin in range(start, stop, _PREDICTED):
            first = max(start, begin - context)
            piece = np.asarray(corpus.tokens[first : min(begin + _PREDICTED, stop)], dtype=np.int64)
            if first == start:
                piece = np.concatenate([[corpus.end], piece])
            ready.append((piece, begin - first + (first == start)))
            held += len(piece)
            if held >= _PREDICTED:
                yield ready
                ready, held = [], 0
    if ready:
        yield ready


def _documents(corpus: Corpus, limit: int | None = None) -> list[NDArray[np.int64]]:
    """The documents up to ``limit`` tokens, each after the end token: what the network reads too."""
    tokens = np.asarray(corpus.tokens[:limit], dtype=np.int64)
    bounds = np.minimum(corpus.documents, len(tokens))
    return [
        np.concatenate([[corpus.end], tokens[start:stop]]) for start, stop in pairwise(bounds) if stop > start
    ]

"""One to many: a text for an image, a vector, or a few classes and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np

from unrolled.data.buckets import BucketLoader, Encoded, collate_unequal
from unrolled.data.captions import condition
from unrolled.data.example import Example, Examples
from unrolled.data.folders import media_file
from unrolled.data.images import formed, is_picture
from unrolled.data.loading import load_captions
from unrolled.data.media import MediaForms, decoded
from unrolled.data.text import existing_file
from unrolled.data.tokenizer import tokenizer_from_dict
from unrolled.models.conditional import ConditionalModel, ScheduledSampling
from unrolled.models.decoder import Decoder
from unrolled.models.one_to_many import OneToMany
from unrolled.tasks.base import Estimator, Scored
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.class_ngram import ClassNgram
from unrolled.tasks.baselines.nearest import NearestVector
from unrolled.tasks.baselines.ngram import WittenBell
from unrolled.tasks.baselines.retrieval import MostFrequentTarget
from unrolled.tasks.beam_search import Hypothesis
from unrolled.tasks.captioning.config import CaptionConfig, CaptioningConfig
from unrolled.tasks.captioning.drawing import draw
from unrolled.tasks.captioning.kinds import fit_subjects, subjects_from_json
from unrolled.tasks.captioning.likelihood import nats_per_symbol
from unrolled.tasks.captioning.pictures import PictureSubjects
from unrolled.tasks.captioning.subjects import Subjects
from unrolled.tasks.decoding import decode
from unrolled.tasks.given import given_examples
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.pictures import picture_form
from unrolled.tasks.sampling import Sampling
from unrolled.tasks.translation.measured import Measured
from unrolled.tasks.translation.scores import text_scores
from unrolled.tasks.translation.symbols import Side
from unrolled.tasks.translation.units import guess_unit
from unrolled.training.loss import CrossEntropy, Loss

_SHOWN = 12
_FEWEST_UPDATES = 2_000
_NATS = "nats per symbol"
_ORDER = 5
"""Symbols that the n-gram baseline looks at, the one it predicts included."""


class Captioner(Estimator[Examples]):
    """Write a text for an image, a vector, or a few classes and numbers.

    Data is a folder of images (with ``metadata.csv`` or ``metadata.jsonl``, or a folder for every class), a
    table (of images, of vectors, or of classes and numbers, beside the texts), the name of built-in data, a
    DataFrame, or a list: of ``(input, text)`` pairs to learn from, of inputs to write for. An input is an
    image ``(height, width, channel)`` of bytes or the path of one, a vector, vectors ``(region, feature)``, a
    class, or a dict of classes and numbers.

    Example:
        >>> names = [("cat", "Tom"), ("dog", "Rex"), ("cat", "Tom"), ("dog", "Rex")]
        >>> captioner = Captioner(hidden_size=32, dropout=0, epochs=100, learning_rate=0.02)
        >>> captioner.fit(names, dev=names).predict(["dog", "cat"])
        ['Rex', 'Tom']
    """

    task: ClassVar[str] = "caption"
    Config = CaptionConfig
    Options = CaptioningConfig

    effective: CaptionConfig
    _subjects: Subjects
    _texts: Side
    _longest: int
    _measured: Measured

    def _reset(self) -> None:
        super()._reset()
        self._ramp = 1

    def predict(self, data: Any, **options: Any) -> list[Any]:
        """The text for each input.

        Args:
            data: a path, a built-in name, or a list of inputs.
            options: those of `unrolled.tasks.captioning.config.CaptioningConfig`; by default as in training.

        Returns:
            Texts; where ``n_best`` is asked for, a dict with ``input`` (its place, counted from 1), ``rank``,
            ``text`` and ``log_probability`` for each of them.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: an input is not of the kind seen in training.
        """
        self._require_fitted()
        examples, chosen = self._read_later(data, labelled=False), self._options(options)
        found = self._found(self._encode(examples), chosen)
        if "n_best" not in options:
            return [self._text(best) for best, *_ in found]
        return [
            {
                "input": place,
                "rank": rank,
                "text": self._text(hypothesis),
                "log_probability": hypothesis.log_probability,
            }
            for place, hypotheses in enumerate(found, start=1)
            for rank, hypothesis in enumerate(hypotheses[: chosen.n_best], start=1)
        ]

    def _options(self, options: Mapping[str, Any]) -> CaptioningConfig:
        usual = {"beam_size": self.effective.beam_size, "length_penalty": self.effective.length_penalty}
        return CaptioningConfig.over(usual, options)

    @property
    def _network(self) -> ConditionalModel:
        return cast(ConditionalModel, self.model)

    def _found(self, items: list[Encoded], options: CaptioningConfig) -> list[list[Hypothesis]]:
        tokenizer = self._texts.tokenizer
        limit = self.effective.max_length or 2 * self._longest
        if options.draws:
            sampling, count = Sampling(options.temperature), options.n_best
            repeated = [item for item in items for _ in range(count)]
            drawn = draw(
                self._network,
                repeated,
                limit,
                sampling,
                seed=options.seed,
                stop=tokenizer.end,
                never=tokenizer.unknown,
            )
            return [drawn[start : start + count] for start in range(0, len(drawn), count)]
        return decode(
            self._network,
            items,
            [limit] * len(items),
            beam_size=options.beam_size,
            length_penalty=options.length_penalty,
            stop=tokenizer.end,
            never=tokenizer.unknown,
        )

    def _text(self, hypothesis: Hypothesis) -> str:
        return self._texts.text(hypothesis.symbols[:-1] if hypothesis.finished else hypothesis.symbols)

    def _read(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        forms = MediaForms(picture_form(config.image_size, config.colour))
        if isinstance(data, str | Path) or hasattr(data, "columns"):
            return load_captions(
                data,
                text=config.text_column,
                conditions=config.condition_columns,
                form=config.table_form(self._form),
                captioned=labelled,
                forms=forms,
            )
        examples = given_examples(data, labelled)
        for example in examples:
            if labelled and not (isinstance(example.target, str) and example.target.strip()):
                raise example.source.error(f"expected a text, got {example.target!r:.60}")
        items = tuple(Example(self._subject(one, forms), one.target, one.source) for one in examples)
        return formed(Examples(items), forms.picture)

    def file_ending(self, first: str) -> str | None:
        """As for any task, but that objects in JSON are inputs of their own: values by name."""
        return None if first.lstrip().startswith("{") else super().file_ending(first)

    def _subject(self, example: Example, forms: MediaForms) -> Any:
        given = example.inputs
        reads_images = self._model is not None and isinstance(self._subjects, PictureSubjects)
        if isinstance(given, Path) or (isinstance(given, str) and reads_images):
            return decoded(media_file(existing_file(given)), forms).arrays[0]
        return given if is_picture(given) else condition(given, example.source)

    def _hold_out(self, data: Examples) -> tuple[Examples, Examples, str]:
        seen = fit_subjects(data).seen
        return hold_out(data, self.effective.holdout, self.effective.seed, seen)

    def _prepare(self, train: Examples) -> None:
        for note in train.notes:
            self._note(note)
        self._subjects = fit_subjects(train)
        self._settle(train)
        texts = [example.target for example in train]
        self._texts = Side.fit(texts, self.effective, self.effective.unit)
        self._measured = Measured.of(self.effective.unit, (), texts)
        self._longest = max(len(self._texts.encode(text)) for text in set(texts)) + 1
        batches = -(-len(train) // self.effective.batch_size)
        epochs = _FEWEST_UPDATES // batches
        if "epochs" not in self.config.model_fields_set and epochs > self.effective.epochs:
            self._decide(f"The data is small: it is gone through up to {epochs} times.", epochs=epochs)
        self._ramp = max(1, self.effective.epochs * batches // 2)

    def _settle(self, train: Examples) -> None:
        """Fill in what the data says: the form of images, the columns of classes, the unit of texts."""
        suited = self._subjects.suited()
        if self.effective.input_feeding:
            suited.pop("attention", None)  # it needs some
        self._suit(self._subjects.kind, suited)
        if self.effective.unit == "auto":
            unit = guess_unit([example.target for example in train])
            self._decide(f"Texts are written by {unit}; set unit to change that.", unit=unit)

    def _readings(self, train: Examples, held_out: Examples) -> list[str]:
        return [
            f"{self._subjects.kind} to texts, written by {self.effective.unit}",
            *super()._readings(train, held_out),
        ]

    def _build_model(self) -> ConditionalModel:
        config, tokenizer = self.effective, self._texts.tokenizer
        perception = self._subjects.perception(config)
        decoder = Decoder(
            tokenizer.size,
            config.embedding_size,
            config,
            memory_size=perception.region_size,
            attention=config.attention,
            input_feeding=config.input_feeding,
            unknown=tokenizer.unknown,
        )
        sampling = ScheduledSampling(config.scheduled_sampling, self._ramp)
        return OneToMany(perception, decoder, config.dropout, sampling)

    def _encode(self, examples: Examples) -> list[Encoded]:
        end = self._texts.tokenizer.end
        return [
            Encoded(inputs, np.append(self._texts.encode(example.target or ""), end))
            for inputs, example in zip(self._subjects.encode(examples), examples, strict=True)
        ]

    def _loader(self, data: Examples, *, training: bool) -> BucketLoader:
        config, items = self.effective, self._encode(data)
        if training:
            # Not sorted by length: batch normalisation must see inputs as mixed as the data are.
            return BucketLoader(
                items, collate_unequal, config.batch_size, seed=config.seed, bucket=1, shard=self._shard
            )
        return BucketLoader(items, collate_unequal, config.batch_size, shuffle=False, bucket=1)

    def _loss(self) -> Loss:
        return CrossEntropy(self.effective.loss_reduction)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The error rate by edits; for classes, of which many texts are right, nats per symbol."""
        return _NATS if self._subjects.likelihood else self._measured.error_rate, "min"

    def _scorer(self, data: Examples) -> Callable[[], Scored]:
        items = self._encode(data)

        def score() -> Scored:
            many_are_right = self._subjects.likelihood
            found = self._found(items[:_SHOWN] if many_are_right else items, self._options({}))
            written = [self._text(best) for best, *_ in found]
            shown = tuple(
                {"input": self._subjects.shown(example), "expected": example.target, "written": text}
                for example, text in zip(data[:_SHOWN], written, strict=False)
            )
            if many_are_right:
                count = sum(len(item.target) for item in items)
                return Scored({_NATS: nats_per_symbol(self._network, items)}, count, "symbols", shown)
            return Scored(self._text_scores(data, written), len(data), "texts", shown)

        return score

    def _text_scores(self, data: Examples, written: list[str]) -> dict[str, float]:
        return text_scores([example.target for example in data], written, self._measured)

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        texts = [example.target for example in train]
        if self._subjects.likelihood:
            size, symbols = self._texts.tokenizer.size, self._symbols(train)
            by_class = ClassNgram.fit(self._keys(train), symbols, size, _ORDER)
            return [by_class.everything, by_class]
        return [MostFrequentTarget.fit(texts), NearestVector.fit(self._subjects.simple(train), texts)]

    def _keys(self, data: Examples) -> list[str]:
        """The classes of each input in one word."""
        return [", ".join(self._subjects.seen(example)) for example in data]

    def _symbols(self, data: Examples) -> list[np.ndarray]:
        end = self._texts.tokenizer.end
        return [np.append(self._texts.encode(example.target), end) for example in data]

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        if isinstance(baseline, WittenBell):
            return {_NATS: float(-baseline.log_probabilities(self._symbols(data)).mean())}
        if isinstance(baseline, ClassNgram):
            found = baseline.log_probabilities(self._keys(data), self._symbols(data))
            return {_NATS: float(-found.mean())}
        assert isinstance(baseline, PredictingBaseline)
        return self._text_scores(data, list(baseline.predict(self._subjects.simple(data))))

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "kind": self._subjects.kind,
            "subjects": self._subjects.to_json(),
            "texts": self._texts.tokenizer.to_dict(),
            "longest": self._longest,
            "measured": asdict(self._measured),
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._subjects = subjects_from_json(vocabularies["kind"], vocabularies["subjects"])
        self._texts = Side(tokenizer_from_dict(vocabularies["texts"]))
        self._longest = vocabularies["longest"]
        self._measured = Measured(**vocabularies["measured"])

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return (MostFrequentTarget, NearestVector, WittenBell, ClassNgram)

"""Writing sets of notes: piano rolls, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from unrolled.data.buckets import BucketLoader, collate_many_to_many
from unrolled.data.example import Example, Examples, Source
from unrolled.data.rolls import KEYS, notes_of_roll, predict_next, read_rolls, roll_of_notes
from unrolled.errors import ConfigError, DataError
from unrolled.layers.state import State
from unrolled.models.base import SequenceModel
from unrolled.models.one_to_one import BinaryVectorModel
from unrolled.tasks.base import Scored
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.notes import NoteMarkov
from unrolled.tasks.generation.config import GenerateConfig, WritingConfig
from unrolled.tasks.generation.medium import Medium
from unrolled.training.loss import BinaryCrossEntropy


class NoteMedium(Medium[Examples]):
    """Sequences of sets of piano notes; a step of a sequence is the list of the notes that sound."""

    baseline = NoteMarkov

    def read(self, data: Any, config: GenerateConfig) -> Examples:
        """A file of sequences, or a list of them, each a list of lists of MIDI notes."""
        if isinstance(data, str | Path):
            examples = read_rolls(data)
        else:
            sources = [(roll, Source("the given rolls", row)) for row, roll in enumerate(data, start=1)]
            examples = Examples(
                tuple(Example(roll_of_notes(roll, source), None, source) for roll, source in sources)
            )
        return Examples(tuple(example for example in examples if len(example.inputs)), examples.notes)

    def hold_out(self, data: Examples, config: GenerateConfig) -> tuple[Examples, Examples, str]:
        """A seeded share of the sequences."""
        if len(data) < 2:
            raise DataError(
                f"expected at least 2 sequences to hold out some of them, got {len(data)}",
                remedy="give more of them, or the held-out ones with dev=",
            )
        order = np.random.default_rng(config.seed).permutation(len(data))
        size = min(max(1, round(len(data) * config.holdout)), len(data) - 1)
        held_out, train = np.sort(order[:size]), np.sort(order[size:])
        sentence = (
            f"No dev data was given: {size} of {len(data)} sequences are held out (seed {config.seed})."
        )
        return data.select(train), data.select(held_out), sentence

    def prepare(self, train: Examples, config: GenerateConfig) -> None:
        """Nothing is learnt: the notes are those of the piano."""

    def build_model(self, config: GenerateConfig) -> BinaryVectorModel:
        """A network with one output a key."""
        return BinaryVectorModel(KEYS, config)

    def loader(
        self, data: Examples, config: GenerateConfig, *, shuffle: bool, shard: tuple[int, int]
    ) -> BucketLoader:
        """Whole sequences; truncated BPTT cuts them."""
        return BucketLoader(
            _encoded(data),
            collate_many_to_many,
            config.batch_size,
            seed=config.seed,
            shuffle=shuffle,
            shard=shard,
        )

    def updates(self, train: Examples, config: GenerateConfig) -> int:
        """The batches of an epoch."""
        return len(self.loader(train, config, shuffle=False, shard=(0, 1)))

    def loss(self, config: GenerateConfig) -> BinaryCrossEntropy:
        """Nats of a frame, summed over the notes."""
        return BinaryCrossEntropy(config.loss_reduction)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Nats per frame."""
        return "nats_per_frame", "min"

    def scorer(self, model: SequenceModel, data: Examples) -> Callable[[], Scored]:
        """Reads every sequence from its start to its end."""
        loader = BucketLoader(_encoded(data), collate_many_to_many, 64, shuffle=False)
        frames = sum(len(example.inputs) for example in data)

        def score() -> Scored:
            device = next(model.parameters()).device
            loss = BinaryCrossEntropy()
            with torch.no_grad():
                sums = [
                    loss(model(batch.inputs, batch.lengths)[0], batch).total.double()
                    for batch in (batch.to(device) for batch in loader.batches(epoch=0))
                ]
            written = list(self.write(model, [], WritingConfig.model_validate({"length": 16})))
            nats = float(torch.stack(sums).sum())
            return Scored({"nats_per_frame": nats / frames}, frames, "frames", ({"written": written},))

        return score

    def fit_baseline(self, train: Examples, config: GenerateConfig) -> tuple[Baseline, str]:
        """A Markov chain a note."""
        return NoteMarkov.fit(
            example.inputs for example in train
        ), "The baseline is a Markov chain for every note."

    def score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        """The chains' score on the same frames."""
        markov = cast(NoteMarkov, baseline)
        nats = np.concatenate([markov.nats(example.inputs) for example in data])
        return {"nats_per_frame": float(nats.mean())}

    def vocabularies(self) -> dict[str, Any]:
        """Nothing but the number of keys."""
        return {"unit": "notes", "keys": KEYS}

    def restore(self, vocabularies: Mapping[str, Any]) -> None:
        """Nothing to take up."""

    def prompts(self, data: Any) -> Iterable[Any]:
        """Every sequence of a file or a list: a list of steps, each a list of notes."""
        if isinstance(data, str | Path):
            return [notes_of_roll(example.inputs) for example in read_rolls(data)]
        return data

    def write(self, model: SequenceModel, prompt: Any, options: WritingConfig) -> Iterator[list[int]]:
        """Steps that follow ``prompt``, each a list of notes; every note is drawn by itself."""
        if options.beam or options.top_k or options.top_p < 1 or options.stop:
            raise ConfigError(
                "beam, top_k, top_p and stop are for text; notes are drawn with a temperature only"
            )
        device = next(model.parameters()).device
        generator = torch.Generator(device).manual_seed(options.seed)
        seed = roll_of_notes(prompt)
        read = torch.from_numpy(np.concatenate([np.zeros((1, KEYS)), seed])).float()[None].to(device)
        logits, state = _advance(model, read, model.initial_state(1))
        for _ in range(options.length):
            step = _drawn(logits, options.temperature, generator)
            yield notes_of_roll(step.cpu().numpy())[0]
            logits, state = _advance(model, step[:, None].float(), state)

    def joined(self, pieces: Iterable[list[int]]) -> list[list[int]]:
        """A list of steps."""
        return list(pieces)


def _encoded(data: Examples) -> list:
    return [predict_next(example.inputs) for example in data]


def _advance(model: SequenceModel, values: Tensor, state: State) -> tuple[Tensor, State]:
    with torch.no_grad():
        logits, state = model({"values": values}, None, state)
    return logits[:, -1], state


def _drawn(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    if temperature == 0:
        return logits > 0
    return torch.bernoulli((logits / temperature).sigmoid(), generator=generator).bool()

"""Writing sets of notes: piano rolls, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.buckets import BucketLoader, Encoded, collate_many_to_many, pad
from unrolled.data.example import Example, Examples, Source
from unrolled.data.midi import MIDI_SUFFIXES, midi_of_roll
from unrolled.data.roll_files import read_rolls
from unrolled.data.rolls import KEYS, notes_of_roll, predict_next, roll_of_notes
from unrolled.data.tones import tones_of_roll, wav_of_tones
from unrolled.errors import ConfigError, DataError
from unrolled.models.base import SequenceModel
from unrolled.models.one_to_one import BinaryVectorModel
from unrolled.models.streaming import ModelStream
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.notes import NoteMarkov
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.generation.config import GenerateConfig, WritingConfig
from unrolled.tasks.generation.medium import Medium
from unrolled.tasks.generation.streaming import NoteStream
from unrolled.tasks.generation.writing import chosen_notes
from unrolled.tasks.inputs.schema import NotesSchema
from unrolled.tasks.shares import Part, Shares
from unrolled.training.loss import BinaryCrossEntropy


class NoteMedium(Medium[Examples]):
    """Sequences of sets of piano notes; a step of a sequence is the list of the notes that sound."""

    baseline = NoteMarkov
    usual: ClassVar[Mapping[str, Any]] = {
        "epochs": 60,
        "dropout": 0.5,
        "recurrent_dropout": 0.3,
        "batch_size": 8,
    }

    def __init__(self) -> None:
        self.steps_per_beat = 4
        self._own: Mapping[str, Examples] = {}

    def read(self, data: Any, config: GenerateConfig, part: Part) -> Examples:
        """A file or folder of sequences, or a list of them, each a list of lists of MIDI notes.

        Where a file is divided itself, its own part for the use.
        """
        self.steps_per_beat = config.steps_per_beat
        if isinstance(data, str | Path):
            rolls = read_rolls(data, config.steps_per_beat)
            if part == "train":
                self._own = rolls.parts
            examples = rolls.part(part)
        else:
            sources = [(roll, Source("the given rolls", row)) for row, roll in enumerate(data, start=1)]
            examples = Examples(
                tuple(Example(roll_of_notes(roll, source), None, source) for roll, source in sources)
            )
        return Examples(tuple(example for example in examples if len(example.inputs)), examples.notes)

    def hold_out(self, data: Examples, config: GenerateConfig) -> Shares[Examples]:
        """What the data keeps for it itself, else a seeded share of the sequences."""
        test = self._own.get("test") or None
        scores = " The scores are those of its test part." if test else ""
        apart = {"kept_apart": test, "kept_apart_name": "the data's own test part"}
        if "valid" in self._own:
            sentence = f"The data's own validation part is the dev data.{scores}"
            name = "the data's own validation part"
            return Shares(data, self._own["valid"], sentence, name, **apart)
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
            f"{scores}"
        )
        return Shares(data.select(train), data.select(held_out), sentence, **apart)

    def prepare(self, train: Examples, config: GenerateConfig) -> None:
        """Nothing is learnt: the notes are those of the piano."""

    def described(self, train: Examples, held_out: Examples) -> list[str]:
        """How many pieces there are, and how many steps they have."""
        steps = sum(len(each.inputs) for each in train)
        return [
            "steps of notes of a piano",
            f"{len(train):,} pieces of {steps:,} steps to train on, {len(held_out):,} to choose the best by",
        ]

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
            (written,) = self.write(model, [[]], WritingConfig.model_validate({"length": 16}))
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
        """Nothing but the number of keys, and how fast steps go."""
        return {"unit": "notes", "keys": KEYS, "steps_per_beat": self.steps_per_beat}

    def restore(self, vocabularies: Mapping[str, Any]) -> None:
        """Take up how fast steps go."""
        self.steps_per_beat = int(vocabularies["steps_per_beat"])

    def prompts(self, data: Any) -> Iterable[Any]:
        """Every sequence of a file, or what is in a list."""
        if isinstance(data, str | Path):
            return [example.inputs for example in read_rolls(data, self.steps_per_beat).part("test")]
        return data

    def stream(self, model: SequenceModel, prompt: Any, options: WritingConfig) -> Iterator[list[int]]:
        """Steps that follow ``prompt``, each a list of notes; every note is drawn by itself."""
        (item,) = self.encode([prompt])
        for roll in self._drawn(model, [item.inputs["values"]], options):
            yield notes_of_roll(roll)[0]

    def schema(self) -> NotesSchema:
        """Steps of notes."""
        return NotesSchema()

    def encode(self, prompts: Iterable[Any]) -> list[Encoded]:
        """The roll of each prompt after a step of silence."""
        rolls = [np.concatenate([np.zeros((1, KEYS)), self._seed(prompt)]) for prompt in prompts]
        return [Encoded({"values": roll}, np.zeros(0)) for roll in rolls]

    def run(self, model: SequenceModel, items: Sequence[Encoded], options: WritingConfig) -> list[np.ndarray]:
        """The rolls ``(time, key)`` that follow each prompt."""
        if not items:
            return []
        steps = list(self._drawn(model, [item.inputs["values"] for item in items], options))
        return list(np.stack(steps, axis=1))

    def decode(self, outputs: Iterable[Any], options: WritingConfig) -> list[list[list[int]]]:
        """The notes of every step."""
        return [notes_of_roll(np.asarray(roll)) for roll in outputs]

    def step_by_step(self, model: SequenceModel, options: WritingConfig) -> NoteStream:
        """Steps of notes."""
        _require_plain(options)
        return NoteStream(model, self._seed, options)

    def _drawn(
        self, model: SequenceModel, read: Sequence[np.ndarray], options: WritingConfig
    ) -> Iterator[np.ndarray]:
        """The next step ``(prompt, key)``; number i is written on with the seed ``options.seed + i``."""
        _require_plain(options)
        device = next(model.parameters()).device
        generators = [torch.Generator().manual_seed(options.seed + row) for row in range(len(read))]
        lengths = torch.tensor([len(each) for each in read])
        with torch.no_grad():
            inputs = {"values": pad(read).float().to(device)}
            logits, state = model(inputs, lengths.to(device), model.initial_state(len(read)))
        last = logits[torch.arange(len(read)), lengths - 1]
        stream = ModelStream(cast(BinaryVectorModel, model), state)
        for made in range(1, options.length + 1):
            uniform = torch.stack([torch.rand(KEYS, generator=each) for each in generators]).to(device)
            steps = chosen_notes(last, options.temperature, uniform)
            yield steps.cpu().numpy()
            if made < options.length:
                last = stream.step({"values": steps.float()})

    def _seed(self, prompt: Any) -> NDArray[np.uint8]:
        """A prompt as a roll: steps of notes, such steps as JSON, a file's path, or a roll already."""
        if isinstance(prompt, np.ndarray):
            return prompt
        if isinstance(prompt, str) and prompt.strip().startswith("["):
            try:
                prompt = json.loads(prompt)
            except (ValueError, RecursionError) as error:
                raise DataError(f"expected steps of notes as JSON, got {prompt!r:.60}: {error}") from error
        if isinstance(prompt, str | Path) and str(prompt).strip():
            return read_rolls(prompt, self.steps_per_beat).part("test")[0].inputs
        return roll_of_notes(prompt if isinstance(prompt, list | tuple) else [], Source("the prompt"))

    def file(self, made: Any, suffix: str, config: GenerateConfig, tempo: float) -> bytes | str:
        """A MIDI file, a WAV file of how it sounds, or JSON."""
        roll = roll_of_notes(made)
        if suffix in MIDI_SUFFIXES:
            return midi_of_roll(roll, config.steps_per_beat, tempo)
        if suffix == ".wav":
            return wav_of_tones(tones_of_roll(roll, 60 / tempo / config.steps_per_beat))
        if suffix == ".json":
            return json.dumps([made])
        if suffix == ".jsonl":
            return json.dumps(made) + "\n"
        known = ", ".join((*MIDI_SUFFIXES, ".wav", ".json", ".jsonl"))
        raise ConfigError(f"expected a file ending in {known} for notes, got {suffix or 'no ending'!r}")


def _require_plain(options: WritingConfig) -> None:
    if options.beam or options.top_k or options.top_p < 1 or options.stop:
        raise ConfigError("beam, top_k, top_p and stop are for text; notes are drawn with a temperature only")


def _encoded(data: Examples) -> list:
    return [predict_next(example.inputs) for example in data]

"""Recordings: log-mel features, each band scaled over the training data."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.scaling import Scaling
from unrolled.data.sound import STEP, LogMel, Recording, resampling_note, sampling_rates
from unrolled.models.band_convolution import BandConvolutionInput
from unrolled.models.inputs import InputLayer
from unrolled.models.spectrogram import SpectrogramInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import SegmentLogistic, SegmentRidge
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.inputs.base import StepsKind, number_baselines
from unrolled.tasks.inputs.options import SoundOptions
from unrolled.tasks.inputs.saved import SavedSound
from unrolled.tasks.inputs.schema import FileSchema

_logger = logging.getLogger("unrolled")

_FILTERS = 8
_DEPTH = 8.0
"""How far below a recording's loudest what is still heard may be, in nepers of energy (35 decibels)."""
_QUIET, _AROUND = 4.0, 3
"""How far below its louder steps, on average over the bands, speech begins and ends; steps kept around it."""


class SoundKind(StepsKind):
    """Recordings.

    Args:
        features: how they become numbers.
        scaling: of every band over the training data.
        own_level: whether a recording's own level is taken from each band; see `levelled`.
        notes: sentences on what was decided in fitting.
    """

    kind = "sound"
    Saved = SavedSound
    simple_classifiers = (SegmentLogistic,)
    simple_regressors = (SegmentRidge,)

    def __init__(
        self,
        features: LogMel,
        scaling: Scaling,
        own_level: bool = False,
        notes: Sequence[str] = (),
    ) -> None:
        self.features = features
        self.scaling = scaling
        self.own_level = own_level
        self.notes = tuple(notes)
        self._resampling_said = bool(notes)

    @classmethod
    def fit(cls, examples: Examples, config: SoundOptions) -> Self:
        """Settle the sampling rate, and measure every band."""
        recordings = [_recording(example) for example in examples]
        rates = sampling_rates(recordings)
        # Of equally frequent rates the lower one: what a recording lacks cannot be added.
        rate = config.sampling_rate or min(rates, key=lambda rate: (-rates[rate], rate))
        features = LogMel(rate, config.mel_bands).fitting()
        read = features.of(recordings)
        # Who keeps the recordings of a group together, such as a speaker's, means to hear others.
        grouped = any(example.group is not None for example in examples)
        own_level = grouped if config.own_level is None else config.own_level
        steps = np.concatenate([levelled(each) for each in read] if own_level else read)
        fewer = (
            f"A sampling rate of {rate:,} Hz holds {features.bands} bands of frequencies, not "
            f"{config.mel_bands}: these are read."
            if features.bands < config.mel_bands
            else None
        )
        notes = [note for note in (resampling_note(rates, rate), fewer) if note]
        return cls(features, Scaling.fit(steps.astype(np.float64)), own_level, notes)

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The scaled features ``(time, bands)``."""
        found = self.summaries(examples)
        read = [levelled(each) for each in found] if self.own_level else found
        return [{"values": self.scaling.apply(each).astype(np.float32)} for each in read]

    def layer(self, config: SoundOptions) -> InputLayer:
        """The features, shifted and masked in training, or what convolutions make of these."""
        features = SpectrogramInput(
            self.features.centres(),
            round(config.time_shift / STEP),
            config.masks,
            config.time_mask,
            config.frequency_mask,
            config.tempo,
            config.voice,
        )
        filters = getattr(config, "filters", 0)
        return BandConvolutionInput(features, filters) if filters else features

    def summaries(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """The features ``(time, bands)``, unscaled."""
        recordings = [_recording(example) for example in examples]
        if not self._resampling_said:
            note = resampling_note(sampling_rates(recordings), self.features.sampling_rate)
            if note:
                self._resampling_said = True
                _logger.info(note)
        return self.features.of(recordings)

    def shown(self, example: Example) -> str:
        """The recording's name."""
        return _recording(example).name

    def steps(self, example: Example) -> list[np.ndarray]:
        """The features of every step, ``(bands,)``, unscaled."""
        return list(self.summaries([example])[0])

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of all, and a linear model of every step alone."""
        return number_baselines(list(map(list, self.summaries(train))), [example.target for example in train])

    def settled(self) -> dict[str, Any]:
        """The sampling rate, which later recordings are brought to, and the bands."""
        return {
            "sampling_rate": self.features.sampling_rate,
            "mel_bands": self.features.bands,
            "own_level": self.own_level,
        }

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """Epochs enough for few recordings; of groups a second training; to classify them, convolutions."""
        options = epochs_for(len(examples), config.batch_size)
        if config.ensemble == 1 and any(example.group is not None for example in examples):
            options["refit"] = True
        if isinstance(examples[0].target, str) and config.bidirectional:
            options["filters"] = _FILTERS  # read in one direction, they may be meant to be read step by step
        return options

    def schema(self) -> FileSchema:
        """A recording."""
        return FileSchema(kind="sound", media_type="audio/*")

    def to_json(self) -> dict[str, Any]:
        """The sampling rate, the bands and their scale."""
        return {
            "sampling_rate": self.features.sampling_rate,
            "bands": self.features.bands,
            "scaling": self.scaling.to_dict(),
            "own_level": self.own_level,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: SoundOptions) -> Self:
        """The inverse of `to_json`."""
        scaling = Scaling.from_dict(value["scaling"])
        if scaling.center.shape != (value["bands"],):
            raise ValueError(f"expected a scale for each band, got {scaling.center.shape}")
        return cls(LogMel(value["sampling_rate"], value["bands"]), scaling, value["own_level"])


def levelled(features: np.ndarray) -> np.ndarray:
    """Each band without its mean over the louder half of the recording, what is far quieter than that raised.

    So what the microphone and the speaker give to all of a recording is taken from it (cepstral mean
    normalisation, Atal 1974), and silence at either end too, whose length is the recordist's.

    Args:
        features: ``(time, bands)``, logarithms.

    Returns:
        ``(time, bands)`` of the steps between.
    """
    features = _between_silences(features)
    raised, loudness = _raised(features)
    return raised - raised[loudness >= np.median(loudness)].mean(axis=0)


def _between_silences(features: np.ndarray) -> np.ndarray:
    loudness = _raised(features)[1]
    (heard,) = np.nonzero(loudness >= np.percentile(loudness, 95) - _QUIET)
    return features[max(0, heard[0] - _AROUND) : heard[-1] + 1 + _AROUND]


def _raised(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The features, what is far quieter than the loudest raised to the same, and their mean at each step."""
    raised = np.maximum(features, np.percentile(features, 99) - _DEPTH)
    return raised, raised.mean(axis=1)


def _recording(example: Example) -> Recording:
    """The recording, which may be given by its path."""
    if isinstance(example.inputs, Recording):
        return example.inputs
    if isinstance(example.inputs, bytes):
        return Recording(example.inputs, example.source)
    if not isinstance(example.inputs, str | Path):
        raise example.source.error("expected a recording as in training, got numbers")
    path = Path(example.inputs)
    if not path.is_file():
        raise example.source.error(f"expected the path of a recording as in training, found no file {path}")
    return Recording(path, example.source)

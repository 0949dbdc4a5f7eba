"""Recordings as log-mel spectrograms: the energy of every band of frequencies, a hundred times a second."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import expm1, gcd, log1p
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.example import Source
from unrolled.data.features import features_of, in_parallel
from unrolled.errors import DataError, MissingDependencyError

STEP = 0.010
"""Seconds from one step of the features to the next."""

_WINDOW = 0.025
_LOWEST = 20.0
"""Hz at which the lowest band begins."""
_MEL, _CORNER = 1127.0, 700.0
"""Of the mel scale: ``1127 ln(1 + hertz / 700)``."""
_FEWEST_BANDS = 4
_FEWEST_SAMPLES = 2
"""Of a window, below which kaldi_native_fbank complains on the terminal."""
_BLOCK = 2**16
_MOST, _MOST_A_BYTE = 2**26, 100
"""Samples from which on it counts how many there are for each byte of a file, and how many may be."""
_VERSION = 1
"""Part of the cache's keys: a change of the features must raise it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that has not been read yet.

    Attributes:
        file: its path, or the file's content.
        source: where it was found, for messages.
    """

    file: Path | bytes
    source: Source

    @property
    def name(self) -> str:
        """What a person knows it by."""
        return self.file.name if isinstance(self.file, Path) else f"row {self.source.row}"

    def error(self, problem: str, remedy: str | None = None) -> DataError:
        """An error that names the recording."""
        source = Source(self.file) if isinstance(self.file, Path) else self.source
        return source.error(problem, remedy=remedy)


@dataclass(frozen=True, slots=True)
class LogMel:
    """How recordings become features: ``bands`` numbers every 10 ms, each from a window of 25 ms.

    Channels are averaged, and other sampling rates are brought to this one. The bands are spread evenly on
    the mel scale up to half the sampling rate (Davis and Mermelstein 1980), as Kaldi computes them.

    Attributes:
        sampling_rate: samples a second.
        bands: numbers a step.
    """

    sampling_rate: int
    bands: int

    def of(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """The features of every recording, ``(time, bands)`` float32, from the cache where they are kept.

        Raises:
            DataError: a file is not a recording that can be read, or holds no sound; names it.
            MissingDependencyError: the extra ``audio`` is not installed.
        """
        by_file = {recording.file: recording for recording in recordings}
        settings: dict[str, Any] = {"kind": "log-mel", "version": _VERSION, **asdict(self)}
        return features_of(
            [recording.file for recording in recordings],
            lambda file: self._features(by_file[file]),
            settings,
        )

    def _features(self, recording: Recording) -> np.ndarray:
        samples, rate = read_sound(recording)
        return self.bands_of(resample(samples, rate, self.sampling_rate))

    def bands_of(self, samples: np.ndarray) -> np.ndarray:
        """The features of samples at this sampling rate: ``(time, bands)`` float32; one step at least."""
        bank = self._bank()
        missing = int(np.ceil(_WINDOW * self.sampling_rate)) - len(samples)
        bank.accept_waveform(self.sampling_rate, np.pad(samples, (0, max(0, missing))))
        bank.input_finished()
        return np.array([bank.get_frame(step) for step in range(bank.num_frames_ready)], dtype=np.float32)

    def _bank(self) -> Any:
        kaldi = _library("kaldi_native_fbank")
        options = kaldi.FbankOptions()
        options.frame_opts.samp_freq = self.sampling_rate
        options.frame_opts.frame_shift_ms = STEP * 1000
        options.frame_opts.frame_length_ms = _WINDOW * 1000
        options.frame_opts.dither = 0.0  # the same file has the same features
        options.mel_opts.num_bins = self.bands
        return kaldi.OnlineFbank(options)

    def centres(self) -> list[float]:
        """The frequency in the middle of each band, in Hz."""
        lowest, highest = (_MEL * log1p(hertz / _CORNER) for hertz in (_LOWEST, self.sampling_rate / 2))
        mels = np.linspace(lowest, highest, self.bands + 2)[1:-1]
        return [_CORNER * expm1(mel / _MEL) for mel in mels.tolist()]

    def fitting(self) -> LogMel:
        """With as many of these bands as the sampling rate holds: each needs a frequency of its own.

        Raises:
            DataError: it holds too few.
        """
        samples = int(_WINDOW * self.sampling_rate)
        for bands in range(self.bands, _FEWEST_BANDS - 1, -1) if samples >= _FEWEST_SAMPLES else ():
            fewer = replace(self, bands=bands)
            try:
                fewer._bank()
            except ValueError:  # what kaldi_native_fbank says of a band that is empty
                continue
            return fewer
        raise DataError(
            f"expected recordings whose sampling rate holds {_FEWEST_BANDS} bands of frequencies, got "
            f"{self.sampling_rate:,} Hz",
            remedy="set --sampling-rate higher (200 or more), or give the numbers as series",
        )


_HIGHEST_RATE = 10_000_000
"""Samples a second, of any recorder."""


def read_sound(recording: Recording) -> tuple[np.ndarray, int]:
    """The samples of a recording, ``(time,)`` float32, its channels averaged, and its sampling rate.

    Raises:
        DataError: the file is not sound that can be decoded, is empty, or holds numbers that are not finite.
    """
    soundfile = _library("soundfile")
    try:
        with soundfile.SoundFile(_opened(recording)) as file:
            rate = _believed(recording, file.samplerate)
            samples = _read(file, _size(recording))
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise _undecodable(recording, error) from error
    if not len(samples):
        raise recording.error("expected sound, found no samples", remedy="leave the file out")
    if not np.isfinite(samples).all():
        raise recording.error("expected finite samples, found others", remedy="mend the file or leave it out")
    return samples.mean(axis=1), rate


def _believed(recording: Recording, rate: int) -> int:
    """A sampling rate that a header claims: bands are computed over as many samples as a window has of it."""
    if not 1 <= rate <= _HIGHEST_RATE:
        raise recording.error(
            f"expected a sampling rate of 1 to {_HIGHEST_RATE:,} Hz, got {rate:,}",
            remedy="mend the file or leave it out",
        )
    return int(rate)


def _read(file: Any, size: int) -> np.ndarray:
    """All samples ``(time, channel)``, as many as there are, whatever the header claims.

    Raises:
        ValueError: there are very many times as many as the file has bytes.
    """
    blocks, count = [np.zeros((0, file.channels), dtype=np.float32)], 0
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        count += block.size
        if count > max(_MOST, _MOST_A_BYTE * size):
            raise ValueError(f"its {size:,} bytes hold more than {count:,} samples")
        blocks.append(block)
    return np.concatenate(blocks)


def _size(recording: Recording) -> int:
    return len(recording.file) if isinstance(recording.file, bytes) else recording.file.stat().st_size


def sampling_rates(recordings: Sequence[Recording]) -> Counter[int]:
    """How many of the recordings have which sampling rate; only the files' headers are read.

    Raises:
        DataError: a file is not a recording; names it.
    """
    soundfile = _library("soundfile")

    def rate(recording: Recording) -> int:
        try:
            return _believed(recording, soundfile.info(_opened(recording)).samplerate)
        except (soundfile.SoundFileError, OSError) as error:
            raise _undecodable(recording, error) from error

    return Counter(in_parallel(rate, recordings, "sampling rates"))


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples at another sampling rate, what that rate cannot hold filtered out.

    Example:
        >>> resample(np.zeros(441, dtype=np.float32), 44100, 8000).shape
        (80,)
    """
    if rate == wanted:
        return samples
    from scipy.signal import resample_poly

    shared = gcd(rate, wanted)
    return resample_poly(samples, wanted // shared, rate // shared).astype(np.float32)


def resampling_note(rates: Counter[int], wanted: int) -> str | None:
    """A sentence on recordings of other sampling rates; None where there are none.

    Example:
        >>> resampling_note(Counter({8000: 2, 44100: 1}), 8000)
        'Sampling rates differ: 1 of 3 recordings are resampled to 8,000 Hz (44,100 Hz: 1).'
    """
    others = {rate: count for rate, count in sorted(rates.items()) if rate != wanted}
    if not others:
        return None
    listed = ", ".join(f"{rate:,} Hz: {count:,}" for rate, count in others.items())
    return (
        f"Sampling rates differ: {sum(others.values()):,} of {rates.total():,} recordings are resampled to "
        f"{wanted:,} Hz ({listed})."
    )


def _opened(recording: Recording) -> Any:
    return io.BytesIO(recording.file) if isinstance(recording.file, bytes) else str(recording.file)


def _undecodable(recording: Recording, error: Exception) -> DataError:
    reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return recording.error(
        f"expected a recording that can be decoded, but {reason or type(error).__name__}",
        remedy="convert it to WAV or FLAC, or leave it out",
    )


def _library(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError.of("sound", extra="audio") from error

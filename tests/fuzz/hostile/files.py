"""Files of every kind made wrong: read, or refused in a sentence, within a bound of time and memory."""

import gzip
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.hostile.batch import Batch
from tests.fuzz.hostile.mutations import mutated_bytes, mutated_png
from tests.fuzz.hostile.samples import READERS, Sample, samples

_TOGETHER = 40


@dataclass(frozen=True)
class FileCase:
    """A file by its name and content, and the name of what reads it."""

    name: str
    content: bytes
    reader: str

    @contextmanager
    def prepared(self) -> Iterator[Callable[[], object]]:
        """Reading it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)

            def read() -> None:
                os.environ["UNROLLED_CACHE"] = folder
                READERS[self.reader](path)

            yield read


def draw(random: Random) -> Batch:
    """Random files made wrong at random."""
    return Batch([_case(random) for _ in range(_TOGETHER)])


def _case(random: Random) -> FileCase:
    sample = random.choice(samples())
    return FileCase(sample.name, _mutated(random, sample), random.choice(sample.readers))


def _mutated(random: Random, sample: Sample) -> bytes:
    others = tuple(each.content for each in samples() if each.name == sample.name)
    content, within = sample.content, random.random() < 0.5
    if within and sample.name.endswith(".gz"):
        return gzip.compress(mutated_bytes(random, gzip.decompress(content), others))
    if within and sample.name.endswith((".zip", ".xlsx", ".npz")):
        return _with_members_mutated(random, content)
    if within and sample.name.endswith(".png"):
        return mutated_png(random, content)
    return mutated_bytes(random, content, others)


def _with_members_mutated(random: Random, content: bytes) -> bytes:
    """An archive one of whose members is changed, with a sum that fits."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = random.choice(list(members))
    members[name] = mutated_bytes(random, members[name])
    if random.random() < 0.1:
        members[random.choice(("../a.csv", "b.csv", "/", "a" * 300))] = members.pop(name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))) as archive:
        for member, body in members.items():
            archive.writestr(member, body)
    return buffer.getvalue()

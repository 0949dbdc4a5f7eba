"""A file handed over by its path or its content, as what a kind of input is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unrolled.data.clips import read_clips
from unrolled.data.example import Source
from unrolled.data.folders import MEDIA, media_file
from unrolled.data.images import read_images
from unrolled.data.media import MediaForms, decoded
from unrolled.data.piped import unwrapped
from unrolled.data.sound import Recording
from unrolled.data.text import existing_file

_KINDS = {"image": "images", "video": "clips", "audio": "sound"}


def from_file(given: Path | bytes, source: Source, forms: MediaForms, kind: str | None = None) -> Any:
    """An image or a clip as an array of bytes, a recording, or the numbers of a table.

    Args:
        given: the path, or the content.
        source: where it was found, for messages.
        forms: what media are brought to.
        kind: the kind of input that a content is; None finds out, as far as the first bytes tell.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    if isinstance(given, Path):
        return decoded(media_file(existing_file(given)), forms).arrays[0]
    if kind is None:
        kind = _KINDS.get(MEDIA.get(unwrapped(given)[1] or "", ""))
    if kind == "images":
        return read_images([given], [source], forms.picture).arrays[0]
    if kind == "clips":
        return read_clips([given], [source], forms.picture).arrays[0]
    if kind == "sound":
        return Recording(given, source)
    raise source.error(f"expected the content of an image, a clip or a recording, got {given[:20]!r}...")

"""Valid content made wrong: bytes, texts, and values of JSON."""

import copy
import json
import struct
import zlib
from random import Random
from typing import Any

_INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_TOKENS = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3(", b"\x1b[31m", b"\r", b"\n\n\n", b"\t"),
    *(b'"', b'""', b"'", b"{", b"}", b"[", b"]", b"[" * 5_000, b'{"a":' * 5_000, b"," * 300, b"NaN", b"inf"),
    *(b"-1", b"1e999", b"9" * 400, b"-", b"0x10", b"99999-99-99", b"2024-02-30", b"a" * 70_000, b"<script>"),
    *(
        b"\xe2\x80\xae",
        b"\xf0\x9f\x99\x82",
        b"\\ud800",
        b"null",
        b"true",
        b"=1+1",
        b"../../etc/passwd",
        b"%s%n",
    ),
)


def mutated_bytes(random: Random, content: bytes, others: tuple[bytes, ...] = ()) -> bytes:
    """Some bytes changed, cut, doubled, or put together with those of another file."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4, 16))):
        random.choice(_STEPS)(random, data)
    if others and random.random() < 0.05:
        other = random.choice(others)
        cut = random.randint(0, len(data))
        data = data[:cut] + other[random.randint(0, len(other)) :]
    return bytes(data)


def _flip(random: Random, data: bytearray) -> None:
    for _ in range(random.choice((1, 1, 3, 10))):
        if data:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _overwrite(random: Random, data: bytearray) -> None:
    at = random.randint(0, len(data))
    data[at : at + random.choice((1, 2, 4, 8))] = random.randbytes(random.choice((1, 2, 4, 8)))


def _number(random: Random, data: bytearray) -> None:
    size, value = random.choice((1, 2, 4, 8)), random.choice(_INTERESTING)
    at = random.randint(0, len(data))
    order = random.choice(("little", "big"))
    data[at : at + size] = (value & (256**size - 1)).to_bytes(size, order)  # type: ignore[arg-type]


def _header_number(random: Random, data: bytearray) -> None:
    """As `_number`, near the beginning or the end, where formats keep what they are."""
    start = random.choice((0, max(0, len(data) - 64)))
    part = data[start : start + 64]
    _number(random, part)
    data[start : start + 64] = part


def _cut(random: Random, data: bytearray) -> None:
    if random.random() < 0.5:
        del data[random.randint(0, len(data)) :]
    else:
        at = random.randint(0, len(data))
        del data[at : at + random.choice((1, 2, 16, 100))]


def _double(random: Random, data: bytearray) -> None:
    at = random.randint(0, len(data))
    part = data[at : at + random.choice((1, 4, 40, 400))]
    where = random.randint(0, len(data))
    data[where:where] = part * random.choice((1, 1, 2, 50))


def _insert(random: Random, data: bytearray) -> None:
    at = random.randint(0, len(data))
    data[at:at] = random.choice(_TOKENS)


_STEPS = (_flip, _overwrite, _number, _header_number, _cut, _double, _insert, _insert)


def mutated_png(random: Random, content: bytes) -> bytes:
    """A PNG whose chunks are changed and have sums that fit, so that what they claim is believed."""
    chunks, at = [], 8
    while at + 8 <= len(content):
        (size,), kind = struct.unpack(">I", content[at : at + 4]), content[at + 4 : at + 8]
        chunks.append([kind, bytearray(content[at + 8 : at + 8 + size])])
        at += 12 + size
    for _ in range(random.choice((1, 1, 2))):
        chunk = random.choice(chunks)
        pixels = _pixels(chunk[1]) if chunk[0] == b"IDAT" and random.random() < 0.5 else None
        if pixels is not None:
            chunk[1] = bytearray(zlib.compress(mutated_bytes(random, pixels)))
        else:
            random.choice((_flip, _number, _header_number, _cut, _insert))(random, chunk[1])
        if random.random() < 0.1:
            chunks.insert(random.randrange(len(chunks) + 1), copy.deepcopy(random.choice(chunks)))
    made = content[:8]
    for kind, body in chunks:
        made += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return made


def _pixels(body: bytearray) -> bytes | None:
    """What a chunk holds, None where it has been changed already."""
    try:
        return zlib.decompress(bytes(body))
    except zlib.error:
        return None


_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3,
        255,
        2**31,
        2**40,
        2**63,
        -(2**63),
        10**30,
        0.5,
        -0.0,
        1e308,
        1e-308,
    ),
    *("", " ", "a", "\x1b[2J", "\ud800", "<script>alert(1)</script>", "/etc/passwd", "../..", "x" * 10_000),
    *(
        "float32",
        "auto",
        "none",
        "nan",
        [],
        {},
        [[]],
        [None],
        [1, 2, 3],
        ["a", "a"],
        {"a": {}},
        [[1, 2], [3]],
    ),
    *(float("nan"), float("inf"), -float("inf")),
)


def mutated_value(random: Random, value: Any) -> Any:
    """A value of JSON in which one or several entries are others, are gone, or come twice."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        value = _with_change(random, value)
    return value


def _with_change(random: Random, value: Any) -> Any:
    places = list(_places(value))
    if not places or random.random() < 0.02:
        return random.choice(_VALUES)
    holder, key = random.choice(places)
    kind = random.random()
    if kind < 0.5:
        holder[key] = copy.deepcopy(random.choice(_VALUES))
    elif kind < 0.6:
        other, other_key = random.choice(places)
        holder[key] = copy.deepcopy(other[other_key])
    elif kind < 0.75:
        del holder[key]
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(random.choice((holder[key], *_VALUES))))
        if random.random() < 0.3:
            random.shuffle(holder)
    elif kind < 0.9:
        holder[random.choice(("", "a", "unit", "kind", "__class__", "\ud800"))] = random.choice(_VALUES)
    else:
        old = holder[key]
        if isinstance(old, int | float) and not isinstance(old, bool):
            holder[key] = random.choice((old + 1, old - 1, -old, old * 1000, old / 3, str(old)))
        else:
            holder[key] = [old] if random.random() < 0.5 else {"a": old}
    return value


def _places(value: Any):
    """Where a value can be changed: its containers and their keys; of long lists some entries."""
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for key in (*range(min(len(value), 6)), *([len(value) - 1] if len(value) > 6 else ())):
            yield value, key
            yield from _places(value[key])


def json_bytes(value: Any) -> bytes:
    """As JSON, lone surrogates and numbers that are none included."""
    return json.dumps(value).encode()

"""Shakespeare by characters: nats a character on the last tenth, beside a Witten-Bell 5-gram."""

from benchmarks.quality.claim import claim, data_folder

claim(
    "nats_per_character",
    1.75,
    ["generate", str(data_folder() / "tinyshakespeare" / "input.txt")],
    better="less",
)

"""A character language model of Shakespeare: nats a character on the last tenth, beside a Witten-Bell 5-gram."""

from claim import claim, data_folder

claim(
    "nats_per_character",
    1.75,
    ["generate", str(data_folder() / "tinyshakespeare" / "input.txt")],
    better="less",
)

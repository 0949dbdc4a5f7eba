"""Bach's chorales as piano rolls (test part): nats a frame, beside a Markov chain for every note."""

from benchmarks.quality.claim import claim, data_folder

claim(
    "nats_per_frame",
    8.7,
    ["generate", str(data_folder() / "jsb_chorales" / "JSB_Chorales.mat")],
    better="less",
)

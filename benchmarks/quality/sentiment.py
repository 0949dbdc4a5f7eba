"""Sentiment of film reviews (SST-2 without phrases, test), beside logistic regression on bags of words."""

from benchmarks.quality.claim import claim, data_folder

reviews = data_folder() / "sst2"
claim(
    "accuracy",
    0.79,
    [
        "classify",
        str(reviews / "train.tsv"),
        "--dev",
        str(reviews / "dev.tsv"),
        "--test",
        str(reviews / "test.tsv"),
    ],
    better="more",
)

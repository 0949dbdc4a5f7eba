"""Universal part-of-speech tags of English (UD EWT, test): well above the most frequent tag of each word."""

from benchmarks.quality.claim import claim, data_folder

treebank = data_folder() / "ud_english_ewt"
claim(
    "accuracy",
    0.93,
    [
        "tag",
        str(treebank / "en_ewt-ud-train.conllu"),
        "--dev",
        str(treebank / "en_ewt-ud-dev.conllu"),
        "--test",
        str(treebank / "en_ewt-ud-test.conllu"),
    ],
    better="more",
)

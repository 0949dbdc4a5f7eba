"""A language model of one's own, trained on raw text, beside the words of a tagger; all by commands."""


def test_a_tagger_reads_what_a_language_model_knows_and_inspect_lists_its_weights(
    unrolled, files, models, tmp_path
):
    (tmp_path / "raw.txt").write_text("the cat runs\nthe dog sits\n" * 20)
    small = ("--hidden-size", "4", "--epochs", "1")
    assert unrolled("train", "generate", "raw.txt", *small, "-o", "lm").code == 0
    assert unrolled("train", "tag", files["tag"], *small, "--features", "lm", "-o", "tagger").code == 0
    made = unrolled("inspect", "tagger", files["tag"], "--json").json
    assert made["input_weights"]
    assert unrolled("inspect", models["tag"], files["tag"], "--json").json["input_weights"] == []
    total = sum(weight["count"] for weight in made["input_weights"])
    shown = unrolled("inspect", "tagger", files["tag"])
    assert f"which are not trained: {total:,}" in " ".join(shown.out.split())
    assert unrolled("predict", "tagger", input="the dog\n").code == 0

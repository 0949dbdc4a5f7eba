"""What columns are usually called, by what they hold, and parts of a data set."""

from __future__ import annotations

TEXT_NAMES = (
    *("text", "sentence", "review", "content", "document", "body", "comment", "message", "tweet"),
    *("title", "headline", "question", "utterance", "sequence", "name", "input", "inputs"),
)
VALUE_NAMES = (
    *("values", "series", "signal", "signals", "sequence", "sequences", "input", "inputs", "x", "data"),
    *("features", "arr_0"),
)
LABEL_NAMES = (
    *("label", "labels", "class", "category", "sentiment", "target", "tag", "y", "intent", "topic"),
    *("language", "rating", "score", "output", "outputs", "targets", "classes", "arr_1"),
)
CAPTION_NAMES = ("caption", "captions", "text", "description", "word", "tune", "abc", *TEXT_NAMES)
SOURCE_NAMES = (
    *("source", "src", "input", "inputs", "question", "prompt", "instruction", "command", "commands"),
    *("text", "article", "document", "sentence", "word", "grapheme", "graphemes", "utterance"),
)
TARGET_NAMES = (
    *("target", "tgt", "trg", "output", "outputs", "answer", "reply", "response", "action", "actions"),
    *("translation", "summary", "headline", "phoneme", "phonemes", "pronunciation", "label"),
)
CONVERSATION_NAMES = ("conversation", "conversation_id", "dialogue", "dialog", "dialogue_id", "session")
WORD_NAMES = ("tokens", "token", "words", "word", "forms", "form", "text", "sentence")
TAG_NAMES = (
    *("tags", "tag", "labels", "label", "ner_tags", "ner_tag", "pos_tags", "pos_tag", "upos", "pos", "ner"),
    *("targets", "target"),
)
SENTENCE_NAMES = (
    *("sentence #", "sentence_id", "sentence id", "sent_id", "sentence", "sent", "sentence_number"),
)
STEP_TAG_NAMES = ("tag", "tags", "label", "labels", "class", "state", "activity", "target")

PART_NAMES = {
    "train": ("train", "training"),
    "dev": ("validation", "valid", "val", "dev", "eval"),
    "test": ("testing", "test"),
}
"""What the parts of a data set are called."""

USUAL_NAMES = frozenset(
    (
        *(*TEXT_NAMES, *VALUE_NAMES, *LABEL_NAMES, *CAPTION_NAMES, *SOURCE_NAMES, *TARGET_NAMES),
        *(*CONVERSATION_NAMES, *WORD_NAMES, *TAG_NAMES, *SENTENCE_NAMES, *STEP_TAG_NAMES),
        *("id", "index", "date", "ds", "time", "timestamp", "value", "unique_id", "file_name", "speaker"),
    )
)

"""A conversation with a model that was trained on questions and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.data.pairs import TURN

if TYPE_CHECKING:
    from unrolled.tasks.translate import Translator


class Conversation:
    """Replies one by one, each reading as many earlier exchanges as training put before a source.

    Args:
        translator: a fitted one.
        options: of its search, as `Translator.predict` takes them.
    """

    def __init__(self, translator: Translator, **options: Any) -> None:
        self.translator = translator
        self.options = options
        self.turns: list[str] = []

    def reply(self, text: str) -> str:
        """What the model says to ``text``.

        Where the whole is longer than a source may be, the oldest exchanges are left out.

        Raises:
            DataError: the text alone is longer than the longest source allowed.
        """
        earlier = 2 * self.translator.effective.history
        turns = [*self.turns[len(self.turns) - earlier :], text] if earlier else [text]
        while len(turns) > 1 and not self.translator.accepts(TURN.join(turns)):
            turns = turns[2:]
        (answer,) = self.translator.predict([TURN.join(turns)], **self.options)
        self.turns += [text, answer]
        return answer

    def forget(self) -> None:
        """Begin a new conversation."""
        self.turns.clear()

"""Splits what a model thinks from what it answers.

Models of this kind begin with a tag, or their template has written it at the end of the prompt already.
"""

from enum import Enum, auto

from inference.engine.detokenizer import overlap

# As today's families write them; the longer of two with the same beginning comes first.
TAGS = {
    "<think>": "</think>",
    "[THINK]": "[/THINK]",
    "<seed:think>": "</seed:think>",
    "<mm:think>": "</mm:think>",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|channel>thought\n": "<channel|>",
    "<|think|>": "<|end|><|begin|>assistant<|content|>",
}
# Also words that only templates write (Apriel's); in an answer they would be no more than words.
PROMPT_TAGS = {**TAGS, "Here are my reasoning steps:": "[BEGIN FINAL RESPONSE]"}
LONGEST = max(map(len, PROMPT_TAGS))


def opened_tag(prompt: str) -> str | None:
    """Return the tag with which a prompt ends, so that the answer begins with thinking."""
    end = prompt[-2 * LONGEST :].rstrip()
    return next((tag for tag in PROMPT_TAGS if end.endswith(tag.rstrip())), None)


class _State(Enum):
    BEGIN = auto()
    REASONING = auto()
    CONTENT = auto()


class ReasoningSplitter:
    """`feed` returns the reasoning and the content that a piece of text adds; `finish` what was held back.

    Tags count only at the very beginning of an answer: later ones are something the model writes about. White space
    around the reasoning belongs to neither part.
    """

    def __init__(self, prompt: str = "") -> None:
        begin = opened_tag(prompt)
        self._state = _State.REASONING if begin else _State.BEGIN
        self._end = PROMPT_TAGS.get(begin, "")
        self._buffer = ""
        self._at_start = True

    @property
    def is_reasoning(self) -> bool:
        return self._state is _State.REASONING

    def feed(self, text: str) -> tuple[str, str]:
        if self._state is _State.CONTENT and not self._at_start:
            return "", text
        self._buffer += text
        if self._state is _State.BEGIN:
            self._read_begin()
        reasoning = self._read_reasoning() if self.is_reasoning else ""
        content = self._read_content() if self._state is _State.CONTENT else ""
        return reasoning, content

    def finish(self) -> tuple[str, str]:
        held, self._buffer = self._buffer, ""
        return (held.rstrip(), "") if self.is_reasoning else ("", held)

    def _read_begin(self) -> None:
        """Decide, once enough has come, whether the answer begins with reasoning."""
        start = self._buffer.lstrip()
        for begin, end in TAGS.items():
            if start.startswith(begin):
                self._state, self._end, self._buffer = _State.REASONING, end, start[len(begin) :]
                return
        if start and not any(begin.startswith(start) for begin in TAGS):
            self._state, self._at_start = _State.CONTENT, False

    def _read_reasoning(self) -> str:
        if self._at_start:
            self._buffer = self._buffer.lstrip()
        before, tag, after = self._buffer.partition(self._end)
        if tag:
            self._state, self._buffer, self._at_start = _State.CONTENT, after, True
            return before.rstrip()
        safe = self._buffer[: len(self._buffer) - overlap(self._buffer, self._end)].rstrip()
        self._buffer = self._buffer[len(safe) :]
        self._at_start = self._at_start and not safe
        return safe

    def _read_content(self) -> str:
        content, self._buffer = self._buffer, ""
        if self._at_start:
            content = content.lstrip()
            self._at_start = not content
        return content

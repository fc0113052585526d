"""From token bytes to text that is safe to send: whole characters, never a stop string."""

import codecs


class Detokenizer:
    """Turns token pieces into text; holds back incomplete characters and what may become a stop string.

    `feed` returns the text that is now certain. Once `stopped` is true, everything from the stop string on is
    dropped. `finish` returns what was held back; an incomplete last character is dropped.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self.stopped = False
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = stop
        self._held = ""

    def feed(self, piece: bytes) -> str:
        text = self._decoder.decode(piece)
        if not self._stop:
            return text
        text = self._held + text
        cut = self._find_stop(text)
        if cut is not None:
            self.stopped = True
            self._held = ""
            return text[:cut]
        safe = len(text) - self._num_held(text)
        self._held = text[safe:]
        return text[:safe]

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held

    def _find_stop(self, text: str) -> int | None:
        """Return where the earliest stop string begins."""
        found = [index for index in (text.find(stop) for stop in self._stop) if index >= 0]
        return min(found, default=None)

    def _num_held(self, text: str) -> int:
        """Return the length of the longest end of `text` with which a stop string begins."""
        return max((overlap(text, stop) for stop in self._stop), default=0)


def overlap(text: str, marker: str) -> int:
    """Return the length of the longest proper prefix of `marker` that `text` ends with."""
    for length in range(min(len(text), len(marker) - 1), 0, -1):
        if text.endswith(marker[:length]):
            return length
    return 0

"""Does it answer Russian in Russian?"""

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.letters import share_of
from inference.trials.outcome import Outcome, shown

MAX_TOKENS = 256
MOSTLY = 0.6


async def speak_russian(asker: Asker) -> Outcome:
    """Expect mostly Cyrillic letters."""
    answer = await asker.say("Привет! Кто ты?", max_tokens=MAX_TOKENS, reasoning_effort="none")
    params = {"answer": shown(answer.content), "percent": round(100 * share_of("CYRILLIC", answer.content))}
    if params["percent"] < 100 * MOSTLY:
        return Outcome(False, gettext_noop("%(percent)d %% of the letters are Cyrillic: “%(answer)s”"), params)
    return Outcome(True, gettext_noop("“%(answer)s”"), params, {"languages": ["ru"]})

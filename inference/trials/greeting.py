"""Does it answer at all, in English, and does it think first?"""

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.letters import share_of
from inference.trials.outcome import Outcome, shown

MAX_TOKENS = 1024  # enough for a model that thinks first
MOSTLY = 0.6


async def greet(asker: Asker) -> Outcome:
    """Expect an answer in Latin letters that ends by itself."""
    answer = await asker.say("Hello!", max_tokens=MAX_TOKENS)
    params = {"answer": shown(answer.content), "limit": MAX_TOKENS}
    thinks = {"reasoning": bool(answer.reasoning)}
    if answer.is_cut_off:
        return Outcome(False, gettext_noop("no end after %(limit)d tokens: “%(answer)s”"), params, thinks)
    if share_of("LATIN", answer.content) < MOSTLY:
        return Outcome(False, gettext_noop("not answered in English: “%(answer)s”"), params, thinks)
    return Outcome(True, gettext_noop("“%(answer)s”"), params, {**thinks, "languages": ["en"]})

"""Is a stop string honoured?"""

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.outcome import Outcome, shown

STOP = "5"
BEFORE = "4"


async def stop_counting(asker: Asker) -> Outcome:
    """Expect counting that ends before the stop string."""
    answer = await asker.say("Count to 10.", stop=[STOP], max_tokens=128, reasoning_effort="none")
    params = {"answer": shown(answer.content), "stop": STOP}
    if STOP in answer.content:
        return Outcome(False, gettext_noop("went on beyond “%(stop)s”: “%(answer)s”"), params, {"stop": False})
    if answer.is_cut_off or BEFORE not in answer.content:
        return Outcome(False, gettext_noop("did not count up to “%(stop)s”: “%(answer)s”"), params)
    return Outcome(True, gettext_noop("stopped before “%(stop)s”: “%(answer)s”"), params, {"stop": True})

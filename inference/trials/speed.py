"""How fast does it write, alone, once it is warm?"""

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.outcome import Outcome

TOKENS = 64


async def measure_speed(asker: Asker) -> Outcome:
    """Let it write so many tokens, whatever they say; the first one's time is that of the prompt."""
    answer = await asker.say("Tell me something about yourself.", max_tokens=TOKENS, ignore_eos=True)
    if answer.first_token is None or answer.completion_tokens < TOKENS:
        message = gettext_noop("wrote %(tokens)d of %(wanted)d tokens")
        return Outcome(False, message, {"tokens": answer.completion_tokens, "wanted": TOKENS})
    speed = round((answer.completion_tokens - 1) / (answer.seconds - answer.first_token), 1)
    first_token = max(1, round(answer.first_token * 1000))
    message = gettext_noop("%(speed)s tokens/s, the first one after %(first)d ms")
    figures = {"tokens_per_second": speed, "first_token_ms": first_token}
    return Outcome(True, message, {"speed": speed, "first": first_token}, figures)

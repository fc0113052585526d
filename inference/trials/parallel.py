"""Does it answer several at once?"""

import asyncio
import time

from django.utils.translation import gettext_noop

from inference.trials.asker import Asker
from inference.trials.outcome import Outcome

CLIENTS = 8
MAX_TOKENS = 64


async def answer_many(asker: Asker) -> Outcome:
    """Expect an answer to each of eight requests that come together."""
    began = time.perf_counter()
    questions = [f"Count to {10 + number}." for number in range(CLIENTS)]
    options = {"max_tokens": MAX_TOKENS, "reasoning_effort": "none"}
    answers = await asyncio.gather(*(asker.say(question, **options) for question in questions))
    seconds = time.perf_counter() - began
    answered = sum(bool(answer.content.strip()) for answer in answers)
    tokens = sum(answer.completion_tokens for answer in answers)
    params = {"answered": answered, "clients": CLIENTS, "tokens": tokens, "seconds": round(seconds, 2)}
    message = gettext_noop("%(answered)d of %(clients)d answered, %(tokens)d tokens in %(seconds)s s")
    return Outcome(answered == CLIENTS, message, params, {"parallel_tokens_per_second": round(tokens / seconds, 1)})

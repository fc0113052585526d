"""Asking an engine without a worker around it."""

from dataclasses import replace
from typing import Any

from inference.engine.engine import Engine
from inference.engine.messages import GenerateRequest, SamplingParams
from tests.engine.fake_llama import run

GREEDY = SamplingParams(temperature=0, max_tokens=30, ignore_eos=True, logprobs=0)


def ask(engine: Engine, *prompts: list[int], **sampling: Any) -> list[list[bytes]]:
    """Answer prompts all at once; the answers are the spellings of their tokens."""
    for number, prompt in enumerate(prompts):
        request = GenerateRequest(str(number), tuple(prompt), replace(GREEDY, **sampling))
        assert engine.add_request(request) is None
    outputs = run(engine)
    return [
        [token.piece for output in outputs if output.request_id == str(number) for token in output.logprobs]
        for number in range(len(prompts))
    ]

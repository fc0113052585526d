"""An engine in the test's process that samples as wildly as it can, and a judge of what comes of it."""

import json
import threading
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.llama import Llama
from inference.engine.messages import Constraint, GenerateRequest, SamplingParams

PROMPT = "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"
# Hot, with no filter. The demo model loves to go on counting: the penalty and the bias only let it come to an end.
WILD = {
    "temperature": 2.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "frequency_penalty": 2.0,
    "logit_bias": tuple((closing, 6.0) for closing in '",]}'),
    "max_tokens": 250,
}

Answer = tuple[str, str]  # finish reason and text


class WildEngine:
    """A model with 32 slots."""

    def __init__(self, path: Path) -> None:
        self._compiled = threading.Event()
        self._config = EngineConfig(str(path), n_ctx=512, n_seq_max=32, n_batch=512)
        self._llama = Llama(self._config, on_compiled=self._compiled.set)

    @property
    def control_tokens(self) -> list[str]:
        return list(self._llama.vocabulary.control_tokens)

    def generate(
        self, constraints: dict[Any, Constraint], markers: dict[Any, tuple[str, ...]] | None = None, **sampling: Any
    ) -> dict[Any, Answer]:
        """Answer a request for each constraint, all at once, and return the answers by the same keys."""
        core = EngineCore(self._config, self._llama)
        for seed, (key, constraint) in enumerate(constraints.items()):
            params = SamplingParams(**{**WILD, "seed": seed, **sampling})
            visible = (markers or {}).get(key, ())
            assert core.add_request(GenerateRequest(key, PROMPT, params, constraint, markers=visible)) is None
        texts, answers = defaultdict(str), {}
        while len(answers) < len(constraints):
            if not core.has_work:
                assert self._compiled.wait(30)
            self._compiled.clear()
            for output in core.step():
                assert output.failure is None, (output.request_id, output.failure)
                texts[output.request_id] += output.text
                if output.finished:
                    answers[output.request_id] = output.finish_reason, texts[output.request_id]
        return answers

    def close(self) -> None:
        self._llama.close()


def multiple_of(_: Any, divisor: float, value: Any, __: Any) -> Any:
    """Compare as decimals; jsonschema divides doubles, for which 0.3 is no multiple of 0.1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and Decimal(str(value)) % Decimal(str(divisor)):
        yield ValidationError(f"{value} is not a multiple of {divisor}")


def errors(schema: dict[str, Any], text: str) -> list[str]:
    """Return what is wrong with a text by the schema's own version, formats included."""
    draft = validators.validator_for(schema, default=Draft202012Validator)
    validator = validators.extend(draft, {"multipleOf": multiple_of})(schema, format_checker=draft.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(json.loads(text))]

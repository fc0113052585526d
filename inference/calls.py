"""Requests to an engine that generate nothing and are answered at once."""

from typing import Any

from inference.engine.messages import Request
from inference.exceptions import from_failure
from inference.pool import pool
from inference.specs import model_spec
from registry.models import RegisteredModel


async def call(model: RegisteredModel, request: Request, keep_alive: float | None = None) -> Any:
    """Return the value that the model's engine answers with, loading it if need be. Raises APIError."""
    generation = pool.generate(model_spec(model, keep_alive), request)
    try:
        async for output in generation:
            if output is None:
                continue
            if output.failure:
                raise from_failure(output.failure)
            return output.value
    finally:
        generation.close()
    raise AssertionError("a request has a terminal output")

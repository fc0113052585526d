"""On PYTHONPATH, this leaves a server without metrics, for `python -m tests.overhead` to compare with."""

from typing import Any

from prometheus_client import Counter, Histogram


def _itself(metric: Any, *_labels: Any) -> Any:
    return metric


def _nothing(*_arguments: Any) -> None:
    """Count nothing."""


Counter.labels = Histogram.labels = _itself
Counter.inc = Histogram.observe = _nothing

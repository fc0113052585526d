"""Threads of the disk tier for tests: what they do happens when the test says so."""

from collections.abc import Callable
from concurrent.futures import Executor, Future


class Manual(Executor):
    """Runs what was submitted when it is told to."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Future, Callable[[], object]]] = []

    def submit(self, function: Callable, /, *arguments: object) -> Future:
        future: Future = Future()
        self._waiting.append((future, lambda: function(*arguments)))
        return future

    def run(self) -> int:
        """Run everything; return how much that was."""
        number = len(self._waiting)
        while self._waiting:
            future, function = self._waiting.pop(0)
            try:
                future.set_result(function())
            except Exception as error:
                future.set_exception(error)
        return number

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for future, _ in self._waiting:
            future.cancel()
        self._waiting.clear()


class SameThread(Manual):
    """Runs everything at once."""

    def submit(self, function: Callable, /, *arguments: object) -> Future:
        future = super().submit(function, *arguments)
        self.run()
        return future

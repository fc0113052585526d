"""A directory for conversations, and engines that come one after the other to it."""

from pathlib import Path

from inference.engine.disk_store import DiskStore
from inference.engine.disk_tier import DiskTier
from tests.engine.executors import Manual, SameThread
from tests.engine.test_kv_cache import Bench

FINGERPRINT = b"f" * 16


class Disk:
    """A directory, and tiers over it as engines make them that come one after the other."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log: list[str] = []
        self.now = 0.0
        self.threads: list[Manual] = []

    def tier(
        self, threads: type[Manual] = SameThread, max_tokens: int = 10**6, max_bytes: int = 10**9, **seams: object
    ) -> DiskTier:
        def new_thread() -> Manual:
            self.threads.append(threads())
            return self.threads[-1]

        store = DiskStore(self.directory, FINGERPRINT, max_bytes, self.log.append, **seams)
        return DiskTier(
            store, max_tokens, warn=self.log.append, clock=lambda: self.now, min_tokens=50, new_thread=new_thread
        )

    def bench(self, slots: int = 2, host_bytes: int = 10**6, can_rewind: bool = True, **settings: object) -> Bench:
        prefill_seconds = settings.pop("prefill_seconds", lambda num_tokens: float("inf"))
        return Bench(slots, host_bytes, can_rewind, disk=self.tier(**settings), prefill_seconds=prefill_seconds)

    def run(self) -> int:
        """Let the threads of all tiers do what they have to."""
        return sum(thread.run() for thread in self.threads)

    @property
    def files(self) -> list[Path]:
        return sorted(self.directory.glob("*/*"))


def ask(bench: Bench, tokens: list[int]) -> int:
    """Run a sequence as the core does, once what it waits for is there; return how much of it was cached."""
    waited = None
    while promise := bench.cache.promise(tokens):
        assert not promise.is_open, "its thread has not done anything"
        waited = promise
    num_cached = bench.run(tokens)
    if waited:
        bench.cache.stop_waiting(waited)
    return num_cached

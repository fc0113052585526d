"""The disk below the main memory: states are written and read in threads of their own, and reported when asked.

The steps of running sequences are not held up: zlib, numpy and files give up the interpreter lock.
"""

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from inference.engine.config import EngineConfig
from inference.engine.disk_store import DiskStore
from inference.engine.entry import Checkpoint, Entry, Stored
from inference.engine.state_file import Saved, StateFileError, Stopped, file_size

# Fewer tokens are not written: a file of them is read hardly sooner than they are computed, and titles and other side
# requests, which nobody continues, are mostly shorter.
MIN_TOKENS = 256
MAX_QUEUED = 512 * 2**20  # bytes of states that may wait for being written; one alone may be larger
FIRST_BANDWIDTH = 500e6  # bytes per second that files are read with, until it has been measured
SMOOTHING = 0.3  # weight of the newest measurement
PAUSE = 60.0  # seconds without writing after it has failed: a full disk is not tried with every sequence


class Recall:
    """A sequence that is being read, for somebody who waits; the promise that it can be had soon."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.file = entry.file
        self.future: Future[tuple[Saved, float]] = Future()
        self._is_given_up = Event()

    @property
    def is_open(self) -> bool:
        return not self.future.done()

    def give_up(self) -> None:
        self._is_given_up.set()
        self.future.cancel()

    def goes_on(self) -> bool:
        return not self._is_given_up.is_set()


@dataclass(frozen=True)
class Turn:
    """The promise of a sequence that will be read after another one."""

    recall: Recall

    @property
    def is_open(self) -> bool:
        return self.recall.is_open


@dataclass(frozen=True, eq=False)
class _Write:
    entry: Entry
    saved: Saved
    future: "Future[tuple[Stored, set[Path]]]"


@dataclass(frozen=True)
class Written:
    """What was saved of an entry is on disk; `deleted` had to go for it."""

    entry: Entry
    saved: Saved
    file: Stored
    deleted: set[Path]


class DiskTier:
    """One read and one write at a time. `wake` is called from their threads when one has ended.

    max_tokens: longer sequences do not fit into the context and are left where they are.
    """

    def __init__(
        self,
        store: DiskStore,
        max_tokens: int,
        wake: Callable[[], None] = lambda: None,
        warn: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.perf_counter,
        min_tokens: int = MIN_TOKENS,
        new_thread: Callable[[], Executor] = lambda: ThreadPoolExecutor(1),
    ) -> None:
        self.min_tokens = min_tokens
        self._store = store
        self._max_tokens = max_tokens
        self._wake = wake
        self._warn = warn
        self._clock = clock
        self._reader, self._writer = new_thread(), new_thread()
        self._recall: Recall | None = None
        self._writes: list[_Write] = []
        self._bandwidth = FIRST_BANDWIDTH
        self._paused_until = 0.0
        self._is_closing = Event()

    @property
    def is_writing(self) -> bool:
        return bool(self._writes)

    def find(self, known: Collection[Path], can_rewind: bool) -> Iterator[Entry]:
        """Yield an entry for each sequence that is there and not known yet."""
        if not self._store.has_changed():
            return
        for file, header in self._store.scan(known):
            if len(header.tokens) <= self._max_tokens:
                checkpoints = [Checkpoint(length, None) for length in header.lengths]
                yield Entry(header.tokens, file=file, can_rewind=can_rewind, checkpoints=checkpoints)
            else:
                self._store.ignore(file.path)

    def seconds(self, entry: Entry) -> float:
        """Return how long it will take to read an entry."""
        return entry.file.num_bytes / self._bandwidth

    def accepts(self, num_tokens: int, state_bytes: int, checkpoints: list[Checkpoint]) -> bool:
        """Say whether a sequence with such a state can be written now."""
        num_bytes = file_size(num_tokens, [state_bytes, *(each.num_bytes for each in checkpoints)])
        queued = sum(write.saved.num_bytes for write in self._writes)
        has_room = not queued or queued + num_bytes <= MAX_QUEUED
        return has_room and num_bytes <= self._store.max_bytes and self._clock() >= self._paused_until

    def is_queued(self, entry: Entry) -> bool:
        return any(write.entry is entry for write in self._writes)

    def write(self, entry: Entry, saved: Saved) -> None:
        """Have a sequence written that was accepted."""
        future = self._writer.submit(self._store.write, saved, lambda: not self._is_closing.is_set())
        self._writes.append(_Write(entry, saved, future))
        future.add_done_callback(lambda _: self._wake())

    def read(self, entry: Entry) -> Recall | Turn:
        """Have an entry read. While another one is, return a Turn, after which this has to be asked again."""
        if self._recall:
            return self._recall if self._recall.entry is entry else Turn(self._recall)
        recall = self._recall = Recall(entry)
        recall.future.add_done_callback(lambda _: self._wake())
        self._reader.submit(self._read, recall)
        return recall

    def delete(self, file: Stored) -> None:
        self._store.delete(file.path)

    def refuse(self, file: Stored) -> None:
        """Delete a file that llama.cpp does not take."""
        self._store.reject(file.path, StateFileError("llama.cpp refused it"))

    def take_recalled(self) -> tuple[Entry, Saved | None] | None:
        """Return what has been read since the last time; with None for a file that was of no use, or given up."""
        recall = self._recall
        if recall is None or recall.is_open:
            return None
        self._recall = None
        try:
            saved, seconds = recall.future.result()
        except (CancelledError, Stopped):
            return None
        except Exception as error:  # whatever it is, nobody must wait for ever
            self._store.reject(recall.file.path, error)
            return recall.entry, None
        if seconds > 0:
            self._bandwidth += SMOOTHING * (saved.num_bytes / seconds - self._bandwidth)
        return recall.entry, saved

    def take_written(self) -> list[Written]:
        """Return what has been written since the last time."""
        done = [write for write in self._writes if write.future.done()]
        self._writes = [write for write in self._writes if not write.future.done()]
        return [written for write in done if (written := self._result(write))]

    def wait(self, seconds: float) -> None:
        """Wait until all that is queued has been written, but no longer than this."""
        wait([write.future for write in self._writes], timeout=max(seconds, 0))

    def close(self) -> None:
        """Stop reading and writing; no file is left half written."""
        self._is_closing.set()
        if self._recall:
            self._recall.give_up()
        self._reader.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)

    def _read(self, recall: Recall) -> None:
        if not recall.future.set_running_or_notify_cancel():
            return
        started = self._clock()
        try:
            saved = self._store.read(recall.file, recall.goes_on)
        except Exception as error:  # it is looked at in `take_recalled`
            recall.future.set_exception(error)
        else:
            recall.future.set_result((saved, self._clock() - started))

    def _result(self, write: _Write) -> Written | None:
        try:
            file, deleted = write.future.result()
        except (CancelledError, Stopped):
            return None
        except (OSError, MemoryError) as error:
            self._paused_until = self._clock() + PAUSE
            self._warn(f"a conversation of {len(write.saved.tokens)} tokens could not be written to disk: {error}")
            return None
        return Written(write.entry, write.saved, file, deleted)


def new_disk_tier(
    config: EngineConfig, fingerprint: Callable[[], bytes], warn: Callable[[str], None], wake: Callable[[], None]
) -> DiskTier | None:
    """Return what a planned configuration asks for; None, with a warning, if the model's files cannot be read again."""
    if not config.kv_disk_directory:
        return None
    try:
        store = DiskStore(Path(config.kv_disk_directory), fingerprint(), config.kv_disk_bytes, warn)
    except OSError as error:
        warn(f"conversations are not kept on disk: {error}")
        return None
    return DiskTier(store, config.n_ctx, wake, warn)

"""A llama.cpp of letters: the token after "a" is "b", and after "e" the answer ends."""

from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from inference.engine.backend import DecodeError, OutOfCells
from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.core import EngineCore
from inference.engine.disk_tier import DiskTier
from inference.engine.entry import State
from inference.engine.messages import (
    Constraint,
    GenerateRequest,
    InvalidParameter,
    Output,
    SamplingParams,
    TokenLogprob,
)

END = 0


class FakeLlama:
    """Keeps the tokens of every slot and insists, as llama.cpp does, on positions without gaps.

    can_rewind False: it has recurrent layers, too, whose state after the newest token is all that is left.
    """

    def __init__(self, num_slots: int, can_rewind: bool = True, max_cells: int | None = None) -> None:
        self.cells: list[list[int]] = [[] for _ in range(num_slots)]
        self.batches: list[list[tuple[int, str]]] = []
        self.vocabulary = self
        self.can_rewind = can_rewind
        self.num_slots = num_slots
        self.is_partitioned = max_cells is None
        self.mixes_lengths = max_cells is not None
        self.max_cells = max_cells
        self.states: list[list[int]] = [[] for _ in range(num_slots)]
        self.num_copies = 0
        self.fails = False
        self.open_samplers = 0
        self.grammars: dict[str, Future[str]] = {}
        self._batch: Batch | None = None

    def tokenize(self, text: str, add_special: bool = True, parse_special: bool = True) -> list[int]:
        return [ord(char) for char in text]

    def prompt_tokens(self, prompt: str | tuple[int, ...], suffix: str | None = None) -> list[int]:
        if suffix is not None:
            raise InvalidParameter("suffix", "this alphabet has no gaps")
        return self.tokenize(prompt) if isinstance(prompt, str) else list(prompt)

    def detokenize(self, tokens: tuple[int, ...], param: str = "tokens") -> bytes:
        if max(tokens) > 0x10FFFF:
            raise InvalidParameter(param, "this alphabet has no such letter")
        return b"".join(map(self.piece, tokens))

    def spelling(self, token: int) -> bytes:
        return self.piece(token) or b"<end>"

    def piece(self, token: int) -> bytes:
        return b"" if token == END else chr(token).encode()

    def is_end(self, token: int) -> bool:
        return token == END

    def markers(self, names: tuple[str, ...]) -> dict[int, bytes]:
        return {ord(name): name.encode() for name in names}

    def compile(self, constraint: Constraint) -> "Future[str]":
        return self.grammars[constraint.grammar]

    def new_sampler(self, request: GenerateRequest, prompt: list[int], grammar: str | None) -> "FakeSampler":
        if request.sampling.logit_bias:
            raise InvalidParameter("logit_bias", "this alphabet has no such letter")
        self.open_samplers += 1
        return FakeSampler(self)

    def decode(self, batch: Batch) -> None:
        if self.fails:
            raise DecodeError("no power")
        if self.max_cells is not None and sum(map(len, self.cells)) + batch.num_tokens > self.max_cells:
            raise OutOfCells("no room")
        self._batch = batch
        self.batches.append([])
        for row in range(batch.num_tokens):
            slot, token = int(batch.seq_id[row]), int(batch.token[row])
            assert batch.pos[row] == len(self.cells[slot]), "positions must follow on the slot's cells"
            assert self.states[slot] == self.cells[slot], "the recurrent state must be that of the last token"
            self.cells[slot].append(token)
            self.states[slot].append(token)
            self.batches[-1].append((slot, chr(token)))

    def next_token(self, row: int) -> int:
        assert self._batch.logits[row], "only rows that asked for logits can be sampled"
        token = int(self._batch.token[row])
        return END if chr(token) == "e" else token + 1

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob:
        assert self._batch.logits[row], "only rows that asked for logits have them"
        return TokenLogprob(self.piece(token), -0.5, ((b"?", -1.0),) * num_alternatives)

    def truncate(self, slot: int, length: int) -> bool:
        if not self.can_rewind and 0 < length < len(self.states[slot]):
            return False
        del self.cells[slot][length:]
        del self.states[slot][length:]
        return True

    def copy(self, source: int, target: int) -> bool:
        self.num_copies += 1
        return self.load(target, self.save(source))

    def state_size(self, slot: int, partial: bool = False) -> int:
        return 4 * len(self.cells[slot])

    def save(self, slot: int, partial: bool = False) -> State:
        return np.array(self.cells[slot], np.int32).view(np.uint8)

    def load(self, slot: int, state: State, partial: bool = False) -> bool:
        self.states[slot] = state.view(np.int32).tolist()
        if not partial:
            self.cells[slot] = list(self.states[slot])
        return True


class FakeSampler:
    in_threads = True

    def __init__(self, llama: FakeLlama) -> None:
        self._llama = llama

    def sample(self, row: int) -> int:
        return self._llama.next_token(row)

    def close(self) -> None:
        self._llama.open_samplers -= 1


def new_core(
    slots: int = 2,
    *,
    can_rewind: bool = True,
    max_cells: int | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    disk: DiskTier | None = None,
    **settings: int,
) -> tuple[EngineCore, FakeLlama]:
    """Return a core whose steps take no time, so that nothing depends on the machine."""
    config = EngineConfig("fake.gguf", **{"n_ctx": 100, "n_seq_max": slots, "host_cache_bytes": 10**6, **settings})
    llama = FakeLlama(slots, can_rewind, max_cells)
    return EngineCore(config, llama, clock=clock, disk=disk), llama


def request(
    prompt: str | tuple[int, ...], name: str = "r", *, prompt_logprobs: int | None = None, **sampling: object
) -> GenerateRequest:
    return GenerateRequest(name, prompt, SamplingParams(**sampling), prompt_logprobs=prompt_logprobs)


def run(core: EngineCore) -> list[Output]:
    outputs = []
    while core.has_work:
        outputs += core.step()
    return outputs


def text(outputs: list[Output], name: str = "r") -> str:
    return "".join(output.text for output in outputs if output.request_id == name)

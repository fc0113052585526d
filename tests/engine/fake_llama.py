"""A llama.cpp of letters: the token after "a" is "b", and after "e" the answer ends."""

from concurrent.futures import Future

from inference.engine.batch import Batch
from inference.engine.config import EngineConfig
from inference.engine.core import DecodeError, EngineCore
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
    """Keeps the tokens of every slot and insists, as llama.cpp does, on positions without gaps."""

    def __init__(self, num_slots: int) -> None:
        self.cells: list[list[int]] = [[] for _ in range(num_slots)]
        self.batches: list[list[tuple[int, str]]] = []
        self.vocabulary = self
        self.can_rewind = True
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
        self._batch = batch
        self.batches.append([])
        for row in range(batch.num_tokens):
            slot, token = int(batch.seq_id[row]), int(batch.token[row])
            assert batch.pos[row] == len(self.cells[slot]), "positions must follow on the slot's cells"
            self.cells[slot].append(token)
            self.batches[-1].append((slot, chr(token)))

    def next_token(self, row: int) -> int:
        assert self._batch.logits[row], "only rows that asked for logits can be sampled"
        token = int(self._batch.token[row])
        return END if chr(token) == "e" else token + 1

    def logprob(self, row: int, token: int, num_alternatives: int) -> TokenLogprob:
        assert self._batch.logits[row], "only rows that asked for logits have them"
        return TokenLogprob(self.piece(token), -0.5, ((b"?", -1.0),) * num_alternatives)

    def truncate(self, slot: int, length: int) -> bool:
        if not self.can_rewind and 0 < length < len(self.cells[slot]):
            return False
        del self.cells[slot][length:]
        return True

    def copy(self, source: int, target: int) -> None:
        self.cells[target] = list(self.cells[source])


class FakeSampler:
    def __init__(self, llama: FakeLlama) -> None:
        self._llama = llama

    def sample(self, row: int) -> int:
        return self._llama.next_token(row)

    def close(self) -> None:
        self._llama.open_samplers -= 1


def new_core(slots: int = 2, **settings: int) -> tuple[EngineCore, FakeLlama]:
    config = EngineConfig("fake.gguf", **{"n_ctx": 100, "n_seq_max": slots, **settings})
    llama = FakeLlama(slots)
    return EngineCore(config, llama), llama


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

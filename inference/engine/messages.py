"""What crosses the pipe between the web process and an engine's worker process.

Every request is answered by `Output`s of which exactly one, the last, is terminal: it carries a finish reason, a value
or a failure.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from inference.engine.config import Kind

FinishReason = Literal["stop", "length", "abort"]


class FailureCode(str, Enum):
    """Why a request ended without an answer."""

    CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
    EMPTY_PROMPT = "empty_prompt"
    DECODE_FAILED = "decode_failed"
    CONSTRAINT_FAILED = "constraint_failed"
    LOAD_FAILED = "load_failed"
    INVALID_PARAMETER = "invalid_parameter"
    WORKER_DIED = "worker_died"
    UNLOADED = "model_unloaded"
    QUEUE_FULL = "queue_full"


class InvalidParameter(Exception):
    """A parameter that only the engine can judge, since it depends on the model."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


# llama.cpp's default order (common/common.h). The bias of tokens and OpenAI's penalties come before all of them.
SAMPLERS = ("penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature")


@dataclass(frozen=True)
class SamplingParams:
    """How tokens are chosen and when to stop. temperature 0 is greedy; seed None draws one at random.

    top_k 0, top_p 1, min_p 0, typical_p 1, top_n_sigma 0, repeat_penalty 1, and 0 for the dry multiplier, the xtc
    probability and mirostat switch each of them off; mirostat 1 or 2 takes the place of the filters. max_tokens None
    means until the context is full. presence_penalty and frequency_penalty count the tokens generated so far, as
    OpenAI defines them; repeat_penalty and dry count those of the prompt, too, as llama.cpp does, over the last
    `*_last_n` tokens (-1: all). logprobs is the number of alternatives to report with each token's log probability,
    None for none of it. logit_bias pairs a token id or a text with what is added to its tokens' logits.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False
    typical_p: float = 1.0
    top_n_sigma: float = 0.0
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[tuple[int | str, float], ...] = ()
    samplers: tuple[str, ...] = SAMPLERS
    logprobs: int | None = None


@dataclass(frozen=True)
class Constraint:
    """What a sequence must look like: `grammar` is a Lark grammar for llguidance (its docs/syntax.md).

    Two additions to its language: `%text "…"` in a rule stands for a text in which the names of control tokens mean
    the tokens, and a line `%until NAME "…"` defines NAME as any text up to and with that one.

    Without triggers the grammar holds from the first token that is not thinking, and the sequence ends with it. With
    triggers the text is free until one of them comes; the grammar holds from the trigger's first character on. Then
    the text is free again if the constraint repeats, else the sequence ends. `only_first`: triggers count only at the
    very beginning of the answer. `param` is the request's field to name if the grammar cannot be used.
    """

    grammar: str
    param: str
    triggers: tuple[str, ...] = ()
    only_first: bool = False
    repeats: bool = False


@dataclass(frozen=True)
class Thinking:
    """The texts around what a model thinks before it answers.

    is_open: the prompt ends with `begin` already. budget: tokens of thinking after which `end` is forced, None for
    no limit.
    """

    begin: str
    end: str
    is_open: bool = False
    budget: int | None = None


@dataclass(frozen=True)
class GenerateRequest:
    """Continue `prompt`: token ids, or a text as a chat template renders it (special tokens are recognised in it).

    suffix: what comes after the gap to fill in; then both are plain text. None: nothing, the prompt is continued.
    prompt_logprobs: the number of alternatives to report with each prompt token's log probability, None for none of
    it. Such a prompt is computed from its start.
    markers: control tokens, by name, that appear in the text of the answer; others are left out.
    client: whose request it is; slots are shared out evenly among the clients that wait for one.
    priority: of those who wait, the highest goes first.
    """

    id: str
    prompt: str | tuple[int, ...]
    sampling: SamplingParams
    constraint: Constraint | None = None
    thinking: Thinking | None = None
    markers: tuple[str, ...] = ()
    suffix: str | None = None
    prompt_logprobs: int | None = None
    client: str = ""
    priority: int = 1


@dataclass(frozen=True)
class EmbedRequest:
    """Make a vector of every input; answered with Embeddings.

    An input is a text or the ids of this model's tokens, to which nothing is added. dimensions None keeps all of
    them; fewer are the first ones of each vector, scaled to length 1 again.
    """

    id: str
    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None


@dataclass(frozen=True)
class RerankRequest:
    """Judge how well every document answers the query; answered with Relevance."""

    id: str
    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True)
class AbortRequest:
    """Stop a request and free its sequence; unknown ids are ignored, since it may just have finished."""

    id: str


@dataclass(frozen=True)
class CloseRequest:
    """End the engine; conversations that are not on disk yet are written, if they are to be. The last message."""


@dataclass(frozen=True)
class TokenizeRequest:
    """Answered with a value of Tokens.

    add_special: add a BOS token if the model wants one. parse_special: recognise special tokens in the text.
    """

    id: str
    text: str
    add_special: bool = True
    parse_special: bool = True


@dataclass(frozen=True)
class Tokens:
    """A text's token ids, and the bytes of each; those of a control token are its name."""

    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]


@dataclass(frozen=True)
class DetokenizeRequest:
    """Answered with the tokens' text as a value of bytes, which need not be whole characters.

    param: the field that is at fault if the vocabulary lacks one of them.
    """

    id: str
    tokens: tuple[int, ...]
    param: str = "tokens"


Request = GenerateRequest | EmbedRequest | RerankRequest | TokenizeRequest | DetokenizeRequest | AbortRequest


@dataclass(frozen=True)
class Usage:
    """Token counts of one request; cached_tokens of the prompt_tokens were still in the KV cache."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


@dataclass(frozen=True)
class Start:
    """A generation has its first token, `seconds` after it got its slot. Before that it waited for one."""

    prompt_tokens: int
    cached_tokens: int
    seconds: float


@dataclass(frozen=True)
class TokenLogprob:
    """A token's text and log probability, and those of the likeliest tokens in its place.

    They are the model's own, before any sampler. The bytes of a token need not be whole characters. A prompt's first
    token has no log probability.
    """

    piece: bytes
    logprob: float | None
    top: tuple[tuple[bytes, float], ...] = ()


@dataclass(frozen=True)
class Embeddings:
    """One row of `dimensions` little-endian float32 numbers for each input, in order; each row has length 1."""

    vectors: bytes
    dimensions: int
    prompt_tokens: int


@dataclass(frozen=True)
class Relevance:
    """One number between 0 and 1 for each document, in order."""

    scores: tuple[float, ...]
    prompt_tokens: int


@dataclass(frozen=True)
class Failure:
    """An error that ends one request.

    `context_length` and `prompt_tokens` come with an overflow, `param` with an invalid parameter.
    """

    code: FailureCode
    message: str
    context_length: int = 0
    prompt_tokens: int = 0
    param: str | None = None


@dataclass(frozen=True)
class Output:
    """What one step added to one request. `usage` comes with the terminal output of a GenerateRequest.

    value: the answer to a request that generates nothing; its only output.
    num_tokens: generated tokens since the request's last output; some wait until their text is certain.
    logprobs: one for each of them that is part of the text, where the request asks for it.
    prompt_logprobs: one for each prompt token, with a request's first output, where it asks for it.
    start: with the first output of a GenerateRequest that has tokens.
    """

    request_id: str
    text: str = ""
    finish_reason: FinishReason | None = None
    failure: Failure | None = None
    usage: Usage | None = None
    num_tokens: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()
    prompt_logprobs: tuple[TokenLogprob, ...] = ()
    value: Any = None
    start: Start | None = None

    @property
    def finished(self) -> bool:
        return self.finish_reason is not None or self.failure is not None or self.value is not None


@dataclass(frozen=True)
class EngineInfo:
    """What the worker found out while loading, and what it runs with.

    n_gpu_layers: those that are on a GPU; the output counts as one more than `num_layers`. devices: their names.
    n_seq_max: `sequence_limit` says why it is less than what was configured.
    kv_bytes: about what the KV cache takes, computed as if every layer kept all cells; None: not known.
    flash_attention: as it was asked for; llama.cpp decides on "auto" itself and tells only its log.
    memory_kind: what a sequence leaves in memory: attention, sliding window, recurrent, hybrid, or none.
    mapped_bytes: weights that are read from the mapped file, the draft model's included; they are no memory of the
        process's own.
    use_mmap: whether the weights stayed in the mapped file.
    device_bytes: what loading took of each GPU's free memory.
    automatic: the names of the fields whose values nobody has set.
    """

    n_ctx: int
    n_seq_max: int
    n_threads: int
    n_gpu_layers: int
    description: str
    system_info: str
    load_seconds: float
    kind: Kind = "chat"
    num_layers: int = 0
    n_threads_batch: int = 0
    n_batch: int = 0
    n_ubatch: int = 0
    kv_unified: bool = False
    kv_cells: int = 0
    kv_type_k: str = "f16"
    kv_type_v: str = "f16"
    kv_bytes: int | None = None
    flash_attention: str = "auto"
    memory_kind: str = "attention"
    model_bytes: int = 0
    use_mmap: bool = True
    mapped_bytes: int = 0
    device_bytes: tuple[int, ...] = ()
    host_cache_bytes: int = 0
    kv_disk_directory: str = ""
    devices: tuple[str, ...] = ()
    loras: tuple[tuple[str, float], ...] = ()
    speculation: str = "off"
    sequence_limit: str = ""
    automatic: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LoadProgress:
    """How much of the weights is loaded, from 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class Ready:
    """The model is loaded; requests may be sent."""

    info: EngineInfo


@dataclass(frozen=True)
class LoadFailed:
    """The model could not be loaded; the worker exits after this."""

    message: str


@dataclass(frozen=True)
class EngineStats:
    """The engine's queues after a step. `cached_tokens` counts the KV cells in use, idle ones included.

    stored, stored_bytes: the conversations on disk that this engine can continue.
    saved_bytes: what the host cache holds at the moment.
    drafted, accepted: tokens that were guessed since the model was loaded, and those of them that were right.
    """

    waiting: int = 0
    running: int = 0
    cached_tokens: int = 0
    stored: int = 0
    stored_bytes: int = 0
    saved_bytes: int = 0
    drafted: int = 0
    accepted: int = 0


@dataclass(frozen=True)
class StepOutputs:
    """Everything one step produced, sent in one message."""

    outputs: tuple[Output, ...]
    stats: EngineStats = field(default_factory=EngineStats)

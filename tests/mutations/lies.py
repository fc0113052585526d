"""Metadata of the right form that is not true, as broken converters write it."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf, nan
from random import Random

from gguf import GGUFValueType as T

from tests.mutations.layout import FORMATS, Damaged, Field, Layout, array, number, text

SIZES = (0, 1, 3, 513, 2**31, 2**32 - 1)
RATIOS = (0.0, -1.0, 1e38, inf, nan)
# Keys without the architecture before them. Those that a model does not have are added.
COUNTS = (
    *("block_count", "context_length", "embedding_length", "feed_forward_length", "vocab_size"),
    *("attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length"),
    *("attention.sliding_window", "rope.dimension_count", "expert_count", "expert_used_count", "pooling_type"),
    *("nextn_predict_layers", "leading_dense_block_count", "full_attention_interval", "attention.causal"),
)
STATE_COUNTS = ("ssm.conv_kernel", "ssm.inner_size", "ssm.state_size", "ssm.time_step_rank", "ssm.group_count")
NUMBERS = (
    *("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "rope.freq_base"),
    *("rope.scaling.factor", "rope.scaling.original_context_length", "attention.scale", "logit_scale"),
)
ARCHITECTURES = (
    *("nonsense", "gpt2", "mamba", "bert", "rwkv7", "gemma3n", "deepseek2", "t5", "whisper", "clip", "llama4"),
    *("%s%n%s", "../../x", "", "x" * 64, "LLAMA"),
)
TOKENIZERS = ("", "nonsense", "llama", "gpt2", "bert", "t5", "rwkv", "plamo2", "none", "no_vocab")
TOKENS = "tokenizer.ggml.tokens"


def numbers(layout: Layout) -> Iterator[Damaged]:
    """Yield files whose sizes and factors are extreme or do not match the tensors."""
    names = COUNTS + (STATE_COUNTS if layout.architecture in ("mamba", "granitehybrid") else ())
    for key in (f"{layout.architecture}.{name}" for name in names):
        for value in SIZES:
            yield f"{key} {value}", layout.with_field(key, T.UINT32, number(T.UINT32, value))
        yield f"{key} -1", layout.with_field(key, T.INT32, number(T.INT32, -1))
        yield f"{key} as text", layout.with_field(key, T.STRING, text(b"many"))
    for key in (f"{layout.architecture}.{name}" for name in NUMBERS):
        for value in RATIOS:
            yield f"{key} {value}", layout.with_field(key, T.FLOAT32, number(T.FLOAT32, value))
    several = array(T.UINT32, [number(T.UINT32, 2)] * 600)
    for name in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        key = f"{layout.architecture}.{name}"
        yield f"{key} of 600 layers", layout.with_field(key, T.ARRAY, several)


def words(layout: Layout) -> Iterator[Damaged]:
    """Yield files with names that mean nothing or something else."""
    prefix = layout.architecture
    choices = {
        "general.architecture": ARCHITECTURES,
        "general.type": ("adapter", "mmproj", "nonsense"),
        "general.name": ("\u202eevil\0\x1b[31m", "x" * 100_000, "<script>alert(1)</script>"),
        "tokenizer.ggml.model": TOKENIZERS,
        "tokenizer.ggml.pre": ("", "nonsense", "x" * 10_000),
        f"{prefix}.rope.scaling.type": ("nonsense", "yarn", "longrope"),
    }
    for key, values in choices.items():
        for value in values:
            yield f"{key} {value[:20]!a}", layout.with_field(key, T.STRING, text(value.encode()))
        yield f"{key} as number", layout.with_field(key, T.UINT32, number(T.UINT32, 7))
        yield f"{key} not UTF-8", layout.with_field(key, T.STRING, text(b"\xff\xfe\x80"))
    for key in ("split.count", "split.no", "split.tensors.count", "general.file_type", "general.quantization_version"):
        for value in (0, 1, 2, 65535):
            yield f"{key} {value}", layout.with_field(key, T.UINT16, number(T.UINT16, value))
        yield f"{key} as text", layout.with_field(key, T.STRING, text(b"1"))


def vocabularies(layout: Layout) -> Iterator[Damaged]:
    """Yield files whose vocabularies do not fit the tensors, each other or their own special tokens."""
    tokens = [b"t%d" % index for index in range(_num_tokens(layout))]
    lists = {
        "no tokens": [],
        "one token": tokens[:1],
        "half the tokens": tokens[: len(tokens) // 2],
        "twice the tokens": [*tokens, *(b"more" + token for token in tokens)],
        "the same token always": [b"same"] * len(tokens),
        "empty tokens": [b""] * len(tokens),
        "tokens that are not UTF-8": [b"\xff" + token for token in tokens],
        "tokens with NUL": [b"\0" + token for token in tokens],
        "a token of 1 MB": [b"x" * 2**20, *tokens[1:]],
    }
    for name, items in lists.items():
        yield name, layout.with_field(TOKENS, T.ARRAY, array(T.STRING, list(map(text, items))))
    yield "tokens are numbers", layout.with_field(TOKENS, T.ARRAY, array(T.UINT32, [bytes(4)] * len(tokens)))
    yield "tokens are a text", layout.with_field(TOKENS, T.STRING, text(b"a b c"))
    parallel = {"token_type": (T.INT32, (0, 3, 6, 99, -1)), "scores": (T.FLOAT32, RATIOS)}
    for name, (kind, values) in parallel.items():
        for value in values:
            items = [number(kind, value)] * len(tokens)
            for count in (0, 1, len(items)):
                field = (f"tokenizer.ggml.{name}", T.ARRAY, array(kind, items[:count]))
                yield f"{count} {name} {value}", layout.with_field(*field)
    merges = ([], [b"a b"], [b"nonsense"] * 9, [b""], [b" "], [b"\xff \xff"], [b"a b c d"], [b"x" * 2**20])
    for items in merges:
        field = ("tokenizer.ggml.merges", T.ARRAY, array(T.STRING, list(map(text, items))))
        yield f"merges {items[:1]!a:.30}", layout.with_field(*field)
    for name in ("bos", "eos", "unknown", "padding", "eot", "fim_pre"):
        for value in (len(tokens), 2**31 - 1, 2**32 - 1):
            key = f"tokenizer.ggml.{name}_token_id"
            yield f"{key} {value}", layout.with_field(key, T.UINT32, number(T.UINT32, value))
        yield f"{key} as text", layout.with_field(key, T.STRING, text(b"0"))
    for key in ("tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_space_prefix"):
        yield f"{key} as text", layout.with_field(key, T.STRING, text(b"yes"))
    charsmap = array(T.UINT8, [b"\xff"] * 64)
    yield "a broken charsmap", layout.with_field("tokenizer.ggml.precompiled_charsmap", T.ARRAY, charsmap)


def omissions(layout: Layout) -> Iterator[Damaged]:
    """Yield files that lack a key, or have it with another type."""
    for field in layout.fields:
        yield f"without {field.key.decode()}", layout.without_field(field.key)
        yield f"{field.key.decode()} is true", layout.with_field(field.key.decode(), T.BOOL, b"\1")
        numbers = array(T.INT32, [number(T.INT32, -1)] * 3)
        yield f"{field.key.decode()} is an array", layout.with_field(field.key.decode(), T.ARRAY, numbers)


def some_lie(layout: Layout, random: Random) -> Damaged:
    """Give one to three of the numbers in the metadata values of their own type, drawn from the extremes."""
    names, fields = [], list(layout.fields)
    numeric = [index for index, field in enumerate(fields) if field.kind in FORMATS]
    for index in random.sample(numeric, random.randint(1, 3)):
        key, kind = fields[index].key, fields[index].kind
        size = len(fields[index].value)
        value = random.choice((bytes(size), b"\xff" * size, b"\1" + bytes(size - 1), random.randbytes(size)))
        names.append(f"{key.decode()}={value.hex()}")
        fields[index] = Field(key, kind, value)
    return " ".join(names), replace(layout, fields=fields)


def _num_tokens(layout: Layout) -> int:
    return int.from_bytes(layout.field(TOKENS).value[4:12], "little")

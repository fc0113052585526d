"""Whether one model may guess the tokens of another: both must mean the same by every token.

The rules are llama.cpp's (common_speculative_are_compatible in common/speculative.cpp).
"""

from itertools import islice
from pathlib import Path
from typing import Any

from gguf import Keys

from registry.gguf import GGUFError, read_metadata, read_part
from registry.gguf_header import Header, StringArray, read_strings
from registry.model_kinds import DIFFUSERS, Kind

MAX_COUNT_DIFFERENCE = 128
FIRST_COMPARED = 5  # the first tokens are unused ones, or control tokens whose names differ
# What a file means that does not say whether texts begin with BOS (llama_vocab::impl::load in src/llama-vocab.cpp).
ADDS_BOS = {"llama": True, "bert": True}


def refuse_unfit_draft(model_path: Path, draft_path: Path) -> None:
    """Raise GGUFError, saying why, if the file `draft_path` cannot draft for the model in `model_path`."""
    metadata = read_metadata(draft_path)
    if metadata.kind != Kind.CHAT:
        raise GGUFError(f"{draft_path} cannot draft: its kind is {str(metadata.kind)!r}, expected {str(Kind.CHAT)!r}.")
    for path, architecture in (
        (draft_path, metadata.architecture),
        (model_path, read_metadata(model_path).architecture),
    ):
        if architecture in DIFFUSERS:
            raise GGUFError(
                f"{draft_path} cannot draft for this model: {path} (architecture {architecture}) is a diffusion model, "
                "which does not write token after token."
            )
    model, draft = read_part(model_path), read_part(draft_path)
    problem = _kind_problem(model.fields, draft.fields) or _special_problem(model.fields, draft.fields)
    problem = problem or _tokens_problem(model_path, model, draft_path, draft)
    if problem:
        raise GGUFError(f"{draft_path} cannot draft for this model: {problem}.")


def _kind_problem(model: dict[str, Any], draft: dict[str, Any]) -> str:
    kinds = [fields.get(Keys.Tokenizer.MODEL) for fields in (model, draft)]
    return "" if kinds[0] == kinds[1] else f"its tokenizer is {kinds[1]!r}, the model's is {kinds[0]!r}"


def _special_problem(model: dict[str, Any], draft: dict[str, Any]) -> str:
    for name, adds, key in (("BOS", _adds_bos, Keys.Tokenizer.BOS_ID), ("EOS", _adds_eos, Keys.Tokenizer.EOS_ID)):
        if adds(model) != adds(draft):
            who = "the model" if adds(model) else "the draft model"
            return f"only {who} adds {name} to its texts"
        if adds(model) and model.get(key) != draft.get(key):
            return f"its {name} token is {draft.get(key)}, the model's is {model.get(key)}"
    return ""


def _adds_bos(fields: dict[str, Any]) -> bool:
    return bool(fields.get(Keys.Tokenizer.ADD_BOS, ADDS_BOS.get(fields.get(Keys.Tokenizer.MODEL), False)))


def _adds_eos(fields: dict[str, Any]) -> bool:
    return bool(fields.get(Keys.Tokenizer.ADD_EOS, False))


def _tokens_problem(model_path: Path, model: Header, draft_path: Path, draft: Header) -> str:
    """Compare the texts of the tokens that both have."""
    tokens, drafted = (header.fields.get(Keys.Tokenizer.LIST) for header in (model, draft))
    if not isinstance(tokens, StringArray) or not isinstance(drafted, StringArray):
        return "one of the two files holds no vocabulary"
    if abs(tokens.count - drafted.count) > MAX_COUNT_DIFFERENCE:
        return (
            f"it has {drafted.count:,} tokens, the model {tokens.count:,}; "
            f"they may differ by {MAX_COUNT_DIFFERENCE} at most"
        )
    common = min(tokens.count, drafted.count) - FIRST_COMPARED
    pairs = zip(
        read_strings(model_path, tokens, FIRST_COMPARED),
        read_strings(draft_path, drafted, FIRST_COMPARED),
        strict=False,
    )
    for token, (ours, theirs) in enumerate(islice(pairs, max(common, 0)), FIRST_COMPARED):
        if ours != theirs:
            return f"token {token} is {_shown(theirs)}, the model's is {_shown(ours)}"
    return ""


def _shown(token: bytes) -> str:
    return repr(token.decode(errors="replace")[:40])

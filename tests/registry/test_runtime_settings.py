"""The fields that an engine is loaded with: their limits, and what does not go together."""

import pytest
from django.core.exceptions import ValidationError

from inference.engine import config as engine_config
from inference.engine.context_plan import BLOCKS
from llmsite import config_models
from llmsite.config_models import ModelEntry
from llmsite.config_values import settings_of
from registry.models import RegisteredModel
from registry.residency import Residency
from registry.runtime_settings import RuntimeSettings

pytestmark = pytest.mark.django_db
FIELDS = {field.name: field for base in (RuntimeSettings, Residency) for field in base._meta.get_fields()}


@pytest.fixture
def errors_of(gguf):
    """The messages for a model of the tiny file (512 tokens) with these settings, by field."""

    def errors_of(**settings):
        try:
            RegisteredModel(**{"name": "a", "path": str(gguf), **settings}).full_clean()
        except ValidationError as error:
            return error.message_dict
        return {}

    return errors_of


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kv_layout", "split"), ("kv_cells", 127), ("kv_type_k", "q6_k"), ("kv_type_v", ""), ("host_cache_mb", -1),
        ("threads_batch", 0), ("threads_batch", 513), ("n_batch", 31), ("n_batch", 8193), ("n_ubatch", 31),
        ("flash_attention", "yes"), ("step_target_ms", 19), ("step_target_ms", 5001), ("split_mode", "tensor"),
        ("tensor_split", "3;1"), ("main_gpu", 16), ("cpu_moe_layers", -2), ("speculation", "draft"),
        ("draft_max", 0), ("draft_max", 33), ("use_mmap", "perhaps"),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(errors_of, field, value):
    assert list(errors_of(**{field: value})) == [field]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("3,x", "“3,x” is not allowed: 'x' is no number of at least 0; write them as in 3,1."),
        ("3,-1", "“3,-1” is not allowed: '-1' is no number of at least 0; write them as in 3,1."),
        ("3,", "“3,” is not allowed: '' is no number of at least 0; write them as in 3,1."),
        ("nan", "“nan” is not allowed: 'nan' is no number of at least 0; write them as in 3,1."),
        ("0,0", "“0,0” is not allowed: at least one number must be above 0."),
        (",".join("1" * 17), f"“{','.join('1' * 17)}” is not allowed: 17 numbers are too many, llama.cpp splits "
         "over at most 16 GPUs."),
    ],
)  # fmt: skip
def test_a_wrong_tensor_split_is_refused_with_the_reason(errors_of, written, reason):
    assert errors_of(tensor_split=written) == {"tensor_split": [reason]}


@pytest.mark.parametrize(("written", "shares"), [("3, 1", (3, 1)), ("0.5,0,1", (0.5, 0, 1)), ("", ()), (" ", ())])
def test_a_tensor_split_is_read(written, shares):
    assert RegisteredModel(tensor_split=written).tensor_shares == shares


def test_a_quantized_v_needs_flash_attention(errors_of):
    assert errors_of(kv_type_v="q8_0", flash_attention="off") == {
        "kv_type_v": ["q8_0 needs flash attention: set it to auto or on, or choose f16, bf16 or f32 here."]
    }
    for settings in ({"kv_type_v": "q8_0"}, {"kv_type_k": "q8_0", "flash_attention": "off"}):
        assert errors_of(**settings) == {}


def test_the_physical_batch_is_no_larger_than_the_whole_one(errors_of):
    assert errors_of(n_batch=64, n_ubatch=128) == {"n_ubatch": ["128 is more than the batch size of 64."]}
    assert errors_of(n_batch=128, n_ubatch=128) == {}


def test_a_batch_has_room_for_a_token_of_every_request(errors_of):
    reason = "32 is too small for 33 parallel requests: a step computes a token of each."
    assert errors_of(n_batch=32, parallel=33) == {"n_batch": [reason]}
    assert errors_of(n_batch=32, parallel=32) == {}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"kv_cells": 256}, "256 cells cannot hold one conversation of 512 tokens; give at least as many."),
        (
            {"kv_cells": 1024, "kv_layout": "partitioned"},
            "1024 cells are too few for the partitioned layout, which needs 4 × 512 = 2048: leave this empty, "
            "or choose the layout auto or unified.",
        ),
        (
            {"kv_cells": 4096},
            "4096 cells are more than the 4 × 512 = 2048 that a partitioned cache uses: leave this empty, "
            "or choose the unified layout.",
        ),
    ],
)
def test_cells_that_do_not_fit_the_requests_are_refused(errors_of, settings, reason):
    assert errors_of(**settings) == {"kv_cells": [reason]}


@pytest.mark.parametrize(
    "settings",
    [
        {"kv_cells": 1024},
        {"kv_cells": 2048, "kv_layout": "partitioned"},
        {"kv_cells": 4096, "kv_layout": "unified"},
        {"kv_cells": 256, "ctx_size": 128, "parallel": 2},
    ],
)
def test_cells_that_fit_are_allowed(errors_of, settings):
    assert errors_of(**settings) == {}


def test_the_file_has_a_key_for_every_field():
    entry = settings_of(ModelEntry)
    assert set(entry) - set(FIELDS) == {"path", "name", "loras"}
    assert set(FIELDS) <= set(entry)


@pytest.mark.parametrize("name", FIELDS)
def test_the_file_and_the_admin_have_the_same_defaults(name):
    assert settings_of(ModelEntry)[name].default == FIELDS[name].get_default()


@pytest.mark.parametrize(
    ("words", "types"),
    [
        (config_models.KV_TYPES, engine_config.KVType),
        (config_models.FLASH_ATTENTION, engine_config.FlashAttention),
        (config_models.SPLIT_MODES, engine_config.SplitMode),
    ],
)
def test_the_engine_knows_every_choice(words, types):
    assert set(words) == set(types.__args__)
    assert set(config_models.KV_TYPES) == set(BLOCKS)

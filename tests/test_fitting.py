"""What is said of a model that does not fit, with estimates that are computed instead of made by a process."""

from dataclasses import replace

import pytest

from inference.client import EngineLoadError
from inference.engine.config import EngineConfig
from inference.engine.footprint import Footprint, Memory
from inference.fitting import find_misfit

MIB = 2**20
CONFIG = EngineConfig("model.gguf", n_ctx=8192, n_seq_max=8, host_cache_bytes=0)
VALUE_BYTES = {"f16": 2, "q8_0": 1, "q4_0": 0.5}


class Linear:
    """Estimates 100 MiB of process, 900 of weights, and 16 KiB for each token with an f16 cache; counts the calls."""

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self.num_calls = 0
        self._refused = refused

    async def __call__(self, config: EngineConfig) -> Footprint:
        self.num_calls += 1
        if config.kv_type_v in self._refused:
            raise EngineLoadError("these types do not work with this model")
        cells = config.kv_cells or config.n_ctx * config.n_seq_max
        num_bytes = int(cells * 8192 * VALUE_BYTES[config.kv_type_v])
        return Footprint(
            100 * MIB, Memory(900 * MIB), Memory(num_bytes), Memory(24 * MIB), host_cache_bytes=config.host_cache_bytes
        )


async def advice(config: EngineConfig, mebibytes: int, estimate: Linear) -> str:
    return (await find_misfit(config, mebibytes * MIB, estimate)).advice


async def test_what_fits_is_no_misfit():
    estimate = Linear()
    assert await find_misfit(CONFIG, 2048 * MIB, estimate) is None
    assert estimate.num_calls == 1


async def test_single_settings_that_fit_are_named_with_their_sizes():
    estimate = Linear()
    assert await advice(CONFIG, 1600, estimate) == (
        "it would fit with a context size of 4608 (1.6 GiB), "
        "or with parallel requests set to 4 (1.5 GiB), or with the KV types q8_0 (1.5 GiB)"
    )
    assert estimate.num_calls == 6


async def test_a_suggested_configuration_fits():
    estimate = Linear()
    misfit = await find_misfit(CONFIG, 1600 * MIB, estimate)
    for suggestion in misfit.suggestions:
        assert (await estimate(suggestion.config)).most_host_bytes == suggestion.num_bytes <= 1600 * MIB


async def test_smaller_types_are_tried_until_one_fits():
    assert "with the KV types q4_0 (1.2 GiB)" in await advice(CONFIG, 1400, Linear())
    assert "KV types" not in await advice(CONFIG, 1600, Linear(refused=("q8_0", "q4_0")))
    assert "KV types" not in await advice(replace(CONFIG, kv_type_v="q4_0", n_ctx=32768), 1400, Linear())


async def test_quantized_values_bring_flash_attention_with_them():
    config = replace(CONFIG, flash_attention="off")
    misfit = await find_misfit(config, 1600 * MIB, Linear())
    assert misfit.suggestions[-1].text == "the KV types q8_0 and flash attention"
    assert misfit.suggestions[-1].config.flash_attention == "on"


async def test_a_smaller_host_cache_may_be_enough():
    estimate = Linear()
    config = replace(CONFIG, host_cache_bytes=4096 * MIB)
    assert await advice(config, 3072, estimate) == ("it would fit with a host cache of 1024 MiB (3.0 GiB)")
    assert estimate.num_calls == 1


async def test_the_host_cache_is_given_up_first():
    misfit = await find_misfit(replace(CONFIG, host_cache_bytes=4096 * MIB), 1600 * MIB, Linear())
    assert [suggestion.text for suggestion in misfit.suggestions] == [
        "a context size of 4608 and no host cache",
        "parallel requests set to 4 and no host cache",
        "the KV types q8_0 and no host cache",
    ]
    assert all(suggestion.config.host_cache_bytes == 0 for suggestion in misfit.suggestions)


async def test_the_caller_says_which_bytes_count():
    config = replace(CONFIG, host_cache_bytes=4096 * MIB)
    size = Footprint.host_bytes.fget
    assert await find_misfit(config, 2048 * MIB, Linear(), size) is None
    misfit = await find_misfit(config, 1600 * MIB, Linear(), size)
    assert misfit.suggestions[0].text == "a context size of 4608"


async def test_where_the_cells_are_limited_they_are_what_can_shrink():
    config = replace(CONFIG, kv_cells=32768)
    assert "it would fit with 16384 KV cells (1.2 GiB), or with the KV types q8_0" in await advice(
        config, 1280, Linear()
    )


async def test_where_no_single_setting_is_enough_all_together_may_be():
    config = replace(CONFIG, n_ctx=131072, n_seq_max=128)
    assert await advice(config, 1030, Linear()) == (
        "it would fit with a context size of 128 with parallel requests set to 1 (1.0 GiB)"
    )


async def test_too_large_weights_are_hopeless():
    estimate = Linear()
    assert await advice(CONFIG, 900, estimate) == (
        "no setting makes it fit: its weights and the process alone take 1000.0 MiB"
    )
    assert estimate.num_calls == 1


async def test_what_never_fits_is_told_with_the_least_that_was_tried():
    assert (await advice(CONFIG, 1020, Linear())).endswith("no setting makes it fit: at the least it takes 1.0 GiB")


async def test_an_embedding_model_has_only_a_context():
    config = replace(CONFIG, kind="embedding", n_seq_max=64)
    misfit = await find_misfit(config, 2048 * MIB, Linear())
    assert [suggestion.text for suggestion in misfit.suggestions] == ["a context size of 1024"]
    with pytest.raises(EngineLoadError, match="do not work"):
        await find_misfit(config, 2048 * MIB, Linear(refused=("f16",)))

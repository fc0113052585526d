"""Which of the layers over llama.cpp a model needs."""

from collections.abc import Callable

from inference.engine.bindings import lib
from inference.engine.config import EngineConfig
from inference.engine.diffusion_llama import DiffusionLlama
from inference.engine.llama import Llama
from inference.engine.pooling_llama import PoolingLlama


def new_llama(
    config: EngineConfig,
    on_compiled: Callable[[], None],
    load: Callable[[EngineConfig], int],
    chat: type[Llama] = Llama,
) -> Llama:
    """Load a model with `load`. Raises ModelLoadError. chat: the class for models that write token after token."""
    if config.kind != "chat":
        return PoolingLlama(config, load=load)
    model = load(config)
    kind = DiffusionLlama if lib.llama_model_is_diffusion(model) else chat
    return kind(config, on_compiled, lambda _: model)

"""The model that is measured: a registered one, or one with random weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.bench.client import BenchError
from inference.bench.random_vocabulary import CHAT_TEMPLATE
from inference.engine.config import EngineConfig
from inference.specs import model_spec
from registry.models import RegisteredModel


@dataclass(frozen=True)
class ServedModel:
    """A model's name in the API, how it runs, and its chat template."""

    name: str
    config: EngineConfig
    template: str

    @property
    def placeholders(self) -> dict[str, Any]:
        """What a command that starts another server with the same model may name in braces."""
        return {
            "model": self.config.model_path,
            "context": self.config.n_ctx,
            "parallel": self.config.n_seq_max,
            "total_context": self.config.n_ctx * self.config.n_seq_max,
        }


def registered_model(name: str) -> ServedModel:
    """Raises BenchError if there is no enabled model of that name."""
    try:
        model = RegisteredModel.objects.for_api(name)
    except RegisteredModel.DoesNotExist:
        raise BenchError(f"there is no enabled model {name!r}; manage.py list_models shows them") from None
    return ServedModel(name, model_spec(model).config, model.effective_chat_template)


def model_of_file(path: Path, context: int, parallel: int) -> ServedModel:
    """Return the model that `random_model` has written; its name is that of the file."""
    return ServedModel(path.stem, EngineConfig(str(path), context, parallel), CHAT_TEMPLATE)

"""LibreChat's configuration for what is served here.

The format: https://www.librechat.ai/docs/configuration/librechat_yaml. LibreChat does not start with a file that it
cannot read, so nothing stands in it that its version does not know.
"""

from collections.abc import Iterable
from typing import Any

import yaml

from registry.model_kinds import Kind
from registry.served_model import ServedModel

VERSION = "1.3.17"
ENDPOINT = "Local GGUF"
ANY_KEY = "any-text"  # LibreChat wants one, and llmsite does not read it
KEY_VARIABLE = "LLM_API_KEY"
PLACEHOLDER = "name-of-a-model"  # LibreChat refuses an empty list
HEADER = """\
# LibreChat's own configuration (https://www.librechat.ai/docs/configuration/librechat_yaml), as llmsite writes it:
# python manage.py librechat_config, or the page “LibreChat” of its admin.
#
# baseURL: llmsite as LibreChat's server reaches it, not as a browser does.
# apiKey: {key}
# models.default: shown only while llmsite cannot be reached; otherwise the list comes from there.
# titleTiming: the default asks for the title beside the first answer, which slows both down.
# tokenConfig: how long the context of each model is; LibreChat would guess otherwise. The prices are not used.

"""
KEY_NEEDED = "a key of llmsite, as {name}=sk-… in LibreChat's .env; any text where llmsite asks for none"
KEY_NOT_NEEDED = "LibreChat wants one; llmsite does not read it"
OVERRIDE = """\
# docker-compose.override.yml beside LibreChat's docker-compose.yml, which does not mount the file by itself.
services:
  api:
    volumes:
      - type: bind
        source: ./librechat.yaml
        target: /app/librechat.yaml
"""
RAG = """\
  rag_api:
    environment:
      EMBEDDINGS_PROVIDER: openai
      RAG_OPENAI_BASEURL: {base_url}
      RAG_OPENAI_API_KEY: {key}
      EMBEDDINGS_MODEL: {model}
      RAG_CHECK_EMBEDDING_CTX_LENGTH: "False"
"""


def config_text(models: Iterable[ServedModel], base_url: str, needs_key: bool) -> str:
    """Return the file for the chat models among those given."""
    note = KEY_NEEDED.format(name=KEY_VARIABLE) if needs_key else KEY_NOT_NEEDED
    body = yaml.safe_dump(config(models, base_url, needs_key), sort_keys=False, allow_unicode=True, width=1000)
    return HEADER.format(key=note) + body


def config(models: Iterable[ServedModel], base_url: str, needs_key: bool) -> dict[str, Any]:
    """Return what stands in the file."""
    contexts = {model.name: model.registration.context_length for model in models if model.kind == Kind.CHAT}
    endpoint: dict[str, Any] = {
        "name": ENDPOINT,
        "apiKey": _key(needs_key),
        "baseURL": base_url,
        "models": {"fetch": True, "default": list(contexts) or [PLACEHOLDER]},
        "titleConvo": True,
        "titleModel": "current_model",
        "titleMethod": "completion",
        "titleTiming": "final",
        "modelDisplayLabel": ENDPOINT,
    }
    if contexts:
        endpoint["tokenConfig"] = {
            name: {"prompt": 0, "completion": 0, "context": context} for name, context in contexts.items()
        }
    return {"version": VERSION, "cache": True, "endpoints": {"custom": [endpoint]}}


def override_text(models: Iterable[ServedModel], base_url: str, needs_key: bool) -> str:
    """Return what LibreChat's compose file needs beside it; with an embedding model, also for files in chats."""
    embedder = next((model.name for model in models if model.kind == Kind.EMBEDDING), None)
    if embedder is None:
        return OVERRIDE
    return OVERRIDE + RAG.format(base_url=base_url, key=_key(needs_key), model=embedder)


def _key(needs_key: bool) -> str:
    return f"${{{KEY_VARIABLE}}}" if needs_key else ANY_KEY

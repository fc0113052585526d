"""The API's paths. None ends in a slash."""

from django.urls import path, re_path

from inference.views.base import not_found
from inference.views.chat import ChatCompletionsView
from inference.views.completions import CompletionsView
from inference.views.embeddings import EmbeddingsView
from inference.views.health import HealthView
from inference.views.models import ModelsView, ModelView
from inference.views.pool import LoadView, PoolEventsView, PoolView, UnloadView
from inference.views.rerank import RerankView
from inference.views.responses import InputItemsView, ResponseInputTokensView, ResponsesView, ResponseView
from inference.views.tokens import DetokenizeView, InputTokensView, TokenizeView
from inference.views.trials import ModelTestView

urlpatterns = [
    path("chat/completions", ChatCompletionsView.as_view()),
    path("chat/completions/input_tokens", InputTokensView.as_view()),
    path("completions", CompletionsView.as_view()),
    path("embeddings", EmbeddingsView.as_view()),
    path("rerank", RerankView.as_view()),
    path("tokenize", TokenizeView.as_view()),
    path("detokenize", DetokenizeView.as_view()),
    path("models", ModelsView.as_view()),
    path("models/<path:name>/load", LoadView.as_view()),
    path("models/<path:name>/unload", UnloadView.as_view()),
    path("models/<path:name>/test", ModelTestView.as_view()),
    path("models/<path:name>", ModelView.as_view()),
    path("health", HealthView.as_view()),
    path("pool", PoolView.as_view()),
    path("pool/events", PoolEventsView.as_view()),
    path("responses", ResponsesView.as_view()),
    path("responses/input_tokens", ResponseInputTokensView.as_view()),
    path("responses/<str:response_id>", ResponseView.as_view()),
    path("responses/<str:response_id>/input_items", InputItemsView.as_view()),
    re_path(r"^[\s\S]*$", not_found),  # a name may have line breaks
]

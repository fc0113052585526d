"""The API's paths. None ends in a slash."""

from django.urls import path, re_path

from inference import views

urlpatterns = [
    path("chat/completions", views.ChatCompletionsView.as_view()),
    path("models", views.ModelsView.as_view()),
    path("models/<path:name>", views.ModelView.as_view()),
    path("health", views.HealthView.as_view()),
    path("responses", views.ResponsesView.as_view()),
    re_path(r"^.*$", views.not_found),
]

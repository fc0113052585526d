"""Where the console's pages are, below /admin/console/."""

from django.urls import path

from console import librechat_page, model_test_page, playground, usage_page, views

app_name = "console"
urlpatterns = [
    path("badges/", views.badges, name="badges"),
    path("dashboard/events/", views.dashboard_events, name="dashboard_events"),
    path("dashboard/report/", views.dashboard_report, name="dashboard_report"),
    path("usage/", usage_page.usage, name="usage"),
    path("usage/usage.csv", usage_page.usage_csv, name="usage_csv"),
    path("playground/", playground.playground, name="playground"),
    path("playground/model", playground.model_facts, name="playground_model"),
    # Not guarded like the others, since that would answer a script with the login page; it checks for itself.
    path("playground/chat", playground.chat, name="playground_chat"),
    path("tests/<int:key>/", model_test_page.model_test, name="model_test"),
    path("tests/<int:key>/start", model_test_page.start_test, name="model_test_start"),
    path("tests/<int:key>/cancel", model_test_page.cancel_test, name="model_test_cancel"),
    path("tests/<int:key>/events", model_test_page.test_events, name="model_test_events"),
    path("librechat/", librechat_page.librechat, name="librechat"),
    path("librechat/librechat.yaml", librechat_page.librechat_file, name="librechat_file"),
]

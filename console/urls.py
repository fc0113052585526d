"""Where the console's pages are, below /admin/console/."""

from django.contrib.admin import site
from django.urls import path

from console import librechat_page, model_test_page, playground, usage_page, views
from console.pages import guarded

app_name = "console"
urlpatterns = [
    path("badges/", guarded("registry.view_registeredmodel")(views.badges), name="badges"),
    path("dashboard/events/", site.admin_view(views.dashboard_events), name="dashboard_events"),
    path("dashboard/report/", site.admin_view(views.dashboard_report), name="dashboard_report"),
    path("usage/", site.admin_view(usage_page.usage), name="usage"),
    path("usage/usage.csv", site.admin_view(usage_page.usage_csv), name="usage_csv"),
    path("playground/", site.admin_view(playground.playground), name="playground"),
    path("playground/model", site.admin_view(playground.model_facts), name="playground_model"),
    # Not an admin_view, which would answer a script with the login page; it checks for itself.
    path("playground/chat", playground.chat, name="playground_chat"),
    path("tests/<int:key>/", site.admin_view(model_test_page.model_test), name="model_test"),
    path("tests/<int:key>/start", site.admin_view(model_test_page.start_test), name="model_test_start"),
    path("tests/<int:key>/cancel", site.admin_view(model_test_page.cancel_test), name="model_test_cancel"),
    path("tests/<int:key>/events", site.admin_view(model_test_page.test_events), name="model_test_events"),
    path("librechat/", site.admin_view(librechat_page.librechat), name="librechat"),
    path("librechat/librechat.yaml", site.admin_view(librechat_page.librechat_file), name="librechat_file"),
]

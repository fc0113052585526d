"""Where the console's pages are, below /admin/console/."""

from django.contrib.admin import site
from django.urls import path

from console import usage_page, views
from console.pages import guarded

app_name = "console"
urlpatterns = [
    path("badges/", guarded("registry.view_registeredmodel")(views.badges), name="badges"),
    path("dashboard/events/", site.admin_view(views.dashboard_events), name="dashboard_events"),
    path("dashboard/report/", site.admin_view(views.dashboard_report), name="dashboard_report"),
    path("usage/", site.admin_view(usage_page.usage), name="usage"),
    path("usage/usage.csv", site.admin_view(usage_page.usage_csv), name="usage_csv"),
]

"""Our own pages of the admin, below /admin/console/."""

from django.urls import path

from console.pages import guarded
from console.views import badges

app_name = "console"

urlpatterns = [
    path("badges/", guarded("registry.view_registeredmodel")(badges), name="badges"),
]

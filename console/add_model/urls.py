"""The pages that add models, below /admin/models/."""

from django.urls import path

from console.add_model import views

app_name = "add_model"

urlpatterns = [
    path("add/", views.choose, name="choose"),
    path("add/repository/", views.repository, name="repository"),
    path("add/url/", views.url, name="url"),
    path("add/file/", views.configure, name="configure"),
    path("estimate/", views.estimate, name="estimate"),
]

"""A page of our own in the admin's frame."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import include, path

from console.pages import AdminPage
from llmsite import urls


class ExamplePage(AdminPage):
    slug = "example"
    title = "An example"
    permission = "registry.view_registeredmodel"
    template_name = "console/page.html"


urlpatterns = [
    path("admin/console/", include(([ExamplePage.url()], "examples"))),
    path("admin/", admin.site.urls),
    *urls.urlpatterns,
]
URL = "/admin/console/example/"


@pytest.fixture(autouse=True)
def example_urls(settings):
    settings.ROOT_URLCONF = __name__


def test_it_stands_in_the_frame(admin_client):
    page = admin_client.get(URL).content.decode()
    assert "An example" in page
    assert 'href="/admin/registry/registeredmodel/"' in page


def test_visitors_are_sent_to_the_login(client, db):
    response = client.get(URL)
    assert (response.status_code, response.url) == (302, f"/admin/login/?next={URL}")


@pytest.mark.parametrize(("permissions", "status"), [([], 403), (["view_registeredmodel"], 200)])
def test_it_needs_the_permission(client, django_user_model, permissions, status):
    user = django_user_model.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    assert client.get(URL).status_code == status

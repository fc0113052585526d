"""The sidebar."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from console.navigation import GROUPS
from inference.pool import pool


def test_every_item_leads_somewhere(admin_client):
    for group in GROUPS:
        for item in group.items:
            assert admin_client.get(reverse(item.url_name) + item.query).status_code == 200, item.title


def test_users_see_what_they_may_see(client, django_user_model):
    user = django_user_model.objects.create_user("staff", is_staff=True)
    client.force_login(user)
    page = client.get("/admin/").content.decode()
    assert 'href="/admin/registry/registeredmodel/"' not in page
    user.user_permissions.add(Permission.objects.get(codename="view_registeredmodel"))
    page = client.get("/admin/").content.decode()
    assert 'href="/admin/registry/registeredmodel/"' in page
    assert 'href="/admin/auth/user/"' not in page


@pytest.mark.django_db
def test_the_badges_are_for_those_who_may_see_models(client, django_user_model):
    assert client.get("/admin/console/badges/").status_code == 302
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    assert client.get("/admin/console/badges/").status_code == 403


def test_a_badge_of_nothing_is_hidden(admin_client):
    page = admin_client.get("/admin/").content.decode()
    assert re.search(r'data-badge="loaded" hidden>0<', page)
    assert pool.failed_keys() == []

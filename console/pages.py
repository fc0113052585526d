"""Our own pages of the admin, at /admin/console/<slug>/: for users who are logged in and have the permission."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.views.generic import TemplateView

View = Callable[..., HttpResponseBase]


def guarded(permission: str | None) -> Callable[[View], View]:
    """Decorate a view: visitors are sent to the login, and who lacks the permission gets a 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permission is not None and not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return admin.site.admin_view(checked)

    return decorate


class AdminPage(TemplateView):
    """A page in the admin's frame. Its template extends console/page.html and fills the block `page`.

    slug: the last part of its address, and the name of its URL in the namespace `console`.
    permission: who may see it; None: whoever may enter the admin.
    """

    slug: str
    title: str | Promise
    permission: str | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the frame needs: the navigation, the title, the user's name."""
        frame = admin.site.each_context(self.request)
        return super().get_context_data(**{**frame, "title": self.title, **kwargs})

    @classmethod
    def url(cls) -> URLPattern:
        """Return the page's address, to be listed in console/urls.py."""
        return path(f"{cls.slug}/", guarded(cls.permission)(cls.as_view()), name=cls.slug)

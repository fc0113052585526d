"""Who may do what on the console's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

VIEW_MODELS = "registry.view_registeredmodel"
USE_MODELS = "registry.load_registeredmodel"  # makes a model work: the playground, tests
ADD_MODEL, CHANGE_MODEL = "registry.add_registeredmodel", "registry.change_registeredmodel"
ADD_DOWNLOAD, VIEW_DOWNLOAD = "registry.add_download", "registry.view_download"
VIEW_USAGE, VIEW_REQUESTS = "usage.view_usagehour", "usage.view_requestlog"

View = Callable[..., HttpResponseBase]


def guarded(*permissions: str) -> Callable[[View], View]:
    """Decorate a view: visitors are sent to the login, and who has none of the permissions gets a 403.

    Without permissions it is for whoever may enter the admin.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permissions and not any(request.user.has_perm(permission) for permission in permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return admin.site.admin_view(checked)

    return decorate


async def may_async(user: Any, permission: str) -> bool:
    """Whether a user may enter the admin and has the permission."""
    return user.is_active and user.is_staff and await user.ahas_perm(permission)

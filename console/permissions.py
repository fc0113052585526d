"""Who may do what on the console's pages."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

VIEW_MODELS = "registry.view_registeredmodel"
USE_MODELS = "registry.load_registeredmodel"  # makes a model work: the playground, tests


def require(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the user has the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


async def may_async(user: Any, permission: str) -> bool:
    """Whether a user may enter the admin and has the permission."""
    return user.is_active and user.is_staff and await user.ahas_perm(permission)

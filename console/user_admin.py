"""Users and groups, in the look of the other pages, and without a way to more than one may."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from access.roles import NAMES, ROLES, title_of

# Django keeps the English names of permissions in the database, with the model's name in them.
DEFAULT_PERMISSIONS = {
    "view": pgettext_lazy("permission", "view"),
    "add": pgettext_lazy("permission", "add"),
    "change": pgettext_lazy("permission", "change"),
    "delete": pgettext_lazy("permission", "delete"),
}
OTHER_PERMISSIONS = (gettext_noop("Can load and unload models"),)

admin.site.unregister(User)
admin.site.unregister(Group)


def permission_label(permission: Permission) -> str:
    """Return what a permission allows, in the reader's language."""
    kind = permission.content_type
    action, _underscore, model = permission.codename.partition("_")
    is_default = action in DEFAULT_PERMISSIONS and model == kind.model
    return f"{kind} | {DEFAULT_PERMISSIONS[action] if is_default else gettext(permission.name)}"


Permission.__str__ = permission_label  # forms and the pages of those who may only look take no other way to its name


class GroupFilter(admin.RelatedFieldListFilter):
    """Users by their groups; roles have their titles."""

    def field_choices(self, *args: Any) -> list[tuple[int, str]]:
        """Return the groups' keys and what they are called."""
        return [(key, title_of(name)) for key, name in super().field_choices(*args)]


@admin.register(User)
class UserAdmin(auth_admin.UserAdmin, ModelAdmin):
    """The people who may enter the admin. Only a superuser makes, changes or deletes one."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter = ["is_staff", "is_superuser", "is_active", ("groups", GroupFilter)]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        """Offer roles by their titles."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label_from_instance = lambda group: title_of(group.name)
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple:
        """Let nobody give more than roles and groups do, but a superuser."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep superusers, with their passwords, from the others."""
        return super().has_change_permission(request, obj) and _is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Keep superusers from the others."""
        return super().has_delete_permission(request, obj) and _is_within_reach(request, obj)


def _is_within_reach(request: HttpRequest, user: User | None) -> bool:
    return request.user.is_superuser or user is None or not user.is_superuser


@admin.register(Group)
class GroupAdmin(auth_admin.GroupAdmin, ModelAdmin):
    """What users may do. The roles' groups stay as they are; others are made and changed by superusers."""

    list_display = ["title", "purpose"]

    @display(description=_("name"), ordering="name")
    def title(self, group: Group) -> str:
        """Return a role's title, or the name of another group."""
        return title_of(group.name)

    @display(description=_("purpose"))
    def purpose(self, group: Group) -> str:
        """Return what a role is for."""
        return next((str(role.purpose) for role in ROLES if role.name == group.name), "")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody make permissions for themselves."""
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the roles as they are: each update of the database sets their permissions anew."""
        return request.user.is_superuser and (obj is None or obj.name not in NAMES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the roles: each update of the database would bring them back."""
        return request.user.is_superuser and (obj is None or obj.name not in NAMES)

"""The roles of the admin's users: four groups with fixed permissions, brought up to date after each `migrate`."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

APPS = ("registry", "access", "usage", "inference", "console", "auth")


@dataclass(frozen=True)
class Role:
    """name: of the group. grants: patterns of permissions, as "app.codename"."""

    name: str
    title: str | Promise
    purpose: str | Promise
    grants: tuple[str, ...]

    def includes(self, permission: str) -> bool:
        return any(fnmatchcase(permission, grant) for grant in self.grants)


# Not what people said: captured requests and stored responses are for administrators.
VIEW = ("registry.view_*", "usage.view_requestlog", "usage.view_usagehour")
OPERATE = (*VIEW, "registry.load_registeredmodel", "registry.*_preset")
ADMINISTER = ("registry.*", "access.*", "usage.*", "inference.*", "console.*", "auth.*_user", "auth.*_group")

ROLES = (
    Role("viewer", _("Viewer"), _("Sees models, presets and usage, and changes nothing."), VIEW),
    Role("operator", _("Operator"), _("Loads and unloads models, and manages presets."), OPERATE),
    Role("model manager", _("Model manager"), _("Registers, changes and downloads models."), (*OPERATE, "registry.*")),
    Role("administrator", _("Administrator"), _("Does everything, with API keys and users, too."), ADMINISTER),
)
NAMES = tuple(role.name for role in ROLES)


def title_of(name: str) -> str:
    """Return what people call a group in their language: a role by its title, another group by its name."""
    return next((str(role.title) for role in ROLES if role.name == name), name)


def update_roles(using: str, apps: Apps = installed, **_: Any) -> None:
    """Give each role its group and permissions; Django's signal post_migrate calls it.

    Permissions are made by a receiver of the same signal, whose turn may come later: so make those that are missing.
    """
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:  # the tables are not there yet
        return
    for label in APPS:
        create_permissions(installed.get_app_config(label), verbosity=0, using=using, apps=apps)
    known = permission_model.objects.using(using).filter(content_type__app_label__in=APPS)
    names = {
        f"{label}.{code}": key for key, label, code in known.values_list("pk", "content_type__app_label", "codename")
    }
    for role in ROLES:
        group, _created = group_model.objects.using(using).get_or_create(name=role.name)
        group.permissions.set([key for name, key in names.items() if role.includes(name)])

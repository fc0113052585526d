"""The admins of other applications' tables that belong to our own pages."""

from console.downloads.admin import DownloadAdmin
from console.user_admin import GroupAdmin, UserAdmin

__all__ = ["DownloadAdmin", "GroupAdmin", "UserAdmin"]

"""The admins of other applications' tables that belong to our own pages."""

from console.downloads.admin import DownloadAdmin

__all__ = ["DownloadAdmin"]

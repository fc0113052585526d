"""The folders of the configuration under which the admin may use files, and nowhere else.

Whoever may register models could otherwise learn from error messages what lies anywhere on the server.
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from llmsite.config import resolve_path
from registry.download_sources import DownloadError
from registry.registration import portable_path


def model_folders() -> list[Path]:
    """Return the folders, as absolute paths."""
    return [Path(folder) for folder in settings.CONFIG.storage.model_folders]


def download_folder() -> Path:
    """Return where downloads go; raise DownloadError if nowhere."""
    folders = model_folders()
    if not folders:
        raise DownloadError(
            "There is no folder to download to: name one in storage.model_folders of the configuration."
        )
    return folders[0]


def is_inside(path: Path) -> bool:
    """Tell whether a file, with all links followed, lies under one of the folders."""
    try:
        found = path.resolve()
    except (OSError, ValueError, RuntimeError):  # a NUL character; links in a circle
        return False
    return any(found.is_relative_to(folder.resolve()) for folder in model_folders())


def problem_of(path: str) -> str:
    """Return why a path may not be used in the admin, "" if it may."""
    absolute = resolve_path(path)
    if is_inside(absolute):
        return ""
    allowed = ", ".join(portable_path(folder) for folder in model_folders()) or _("none")
    lexical = Path(os.path.normpath(absolute))
    if any(lexical.is_relative_to(folder) for folder in model_folders()):
        text = _(
            "“%(path)s” is a link that leads out of the model folders (%(folders)s): move the file into one of them."
        )
    else:
        text = _(
            "“%(path)s” is not under the model folders (%(folders)s): move the file there, "
            "or add its folder to storage.model_folders in the configuration."
        )
    return text % {"path": path, "folders": allowed}


def refuse_outside(path: str) -> None:
    """Raise ValidationError if a path may not be used in the admin."""
    if problem := problem_of(path):
        raise ValidationError(problem, code="outside_model_folders")


def refuse_outside_download(target: Path) -> None:
    """Raise DownloadError if a file that is to be written would not lie under a model folder."""
    if problem := problem_of(str(target)):
        raise DownloadError(problem)

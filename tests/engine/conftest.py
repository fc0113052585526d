"""Fixtures that several tests of the engine share."""

from pathlib import Path

import pytest

from tests.engine.disks import Disk


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "kv")

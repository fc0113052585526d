import subprocess
import sys

import pytest

from registry.download_lock import held
from registry.download_sources import DownloadError


def test_a_file_is_downloaded_once_at_a_time(tmp_path):
    target = tmp_path / "a.gguf"
    with held(target), pytest.raises(DownloadError, match="is being downloaded already"), held(target):
        pytest.fail("held twice")
    with held(target):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_kept_out(tmp_path):
    target = tmp_path / "a.gguf"
    code = (
        "import sys, fcntl, os; fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); fcntl.flock(fd, fcntl.LOCK_EX); "
        "print(flush=True); sys.stdin.read()"
    )
    path = f"{target}.partial.lock"
    arguments = [sys.executable, "-c", code, path]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(DownloadError), held(target):
            pytest.fail("held twice")
        other.communicate()
    with held(target):
        pass  # what the dead process has left is no obstacle

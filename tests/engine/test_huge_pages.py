"""Large memory in huge pages, which the C library asks the system for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from inference.engine.huge_pages import ASK, SETTING, ask_for_huge_pages, has_huge_pages
from inference.worker_environment import worker_environment

ALLOCATE = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ctypes.memset(libc.malloc(ctypes.c_size_t(2**26)), 1, 2**26)
print(open("/proc/self/smaps_rollup").read())
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ASK),
        ({"GLIBC_TUNABLES": "glibc.malloc.check=3"}, f"glibc.malloc.check=3:{ASK}"),
        ({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}, "glibc.malloc.hugetlb=0"),
    ],
)
def test_the_operators_tunables_stay(given, expected):
    environment = dict(given)
    ask_for_huge_pages(environment)
    assert environment == {"GLIBC_TUNABLES": expected}


@pytest.mark.parametrize(
    ("setting", "tunables", "libc", "expected"),
    [
        ("always [madvise] never", ASK, (2, 36), True),
        ("always [madvise] never", f"glibc.malloc.check=3:{ASK}", (2, 35), True),
        ("always [madvise] never", ASK, (2, 34), False),
        ("always [madvise] never", "glibc.malloc.hugetlb=0", (2, 36), False),
        ("[always] madvise never", "", (2, 17), True),
        ("always madvise [never]", ASK, (2, 36), False),
        ("", ASK, (2, 36), False),
    ],
)
def test_the_system_decides(tmp_path, setting, tunables, libc, expected):
    (tmp_path / "enabled").write_text(setting)
    assert has_huge_pages(tmp_path / "enabled", tunables, libc) is expected


def test_where_the_system_knows_none_there_are_none(tmp_path):
    assert not has_huge_pages(tmp_path / "enabled", ASK)


def test_what_is_said_of_a_workers_memory_is_so():
    says = "from inference.engine.huge_pages import has_huge_pages; print('says', has_huge_pages())"
    command = [sys.executable, "-c", says + ALLOCATE]
    done = subprocess.run(command, env=worker_environment(), capture_output=True, text=True, check=True)
    if not Path("/proc/self/smaps_rollup").exists() or not SETTING.exists():
        pytest.skip("this system does not tell")
    huge_kib = int(re.search(r"AnonHugePages:\s+(\d+)", done.stdout)[1])
    assert ("says True" in done.stdout) == (huge_kib > 2**15)

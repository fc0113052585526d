"""Memory in pages of 2 MiB instead of 4 KiB.

The weights are read from one end to the other for every token, and each small page costs the processor a look into its
page tables: dearly in a virtual machine, which has two of them (docs/performance.md, "Huge pages"). Linux gives huge
pages to memory that asks for them, but not to mapped files of most file systems
(https://docs.kernel.org/admin-guide/mm/transhuge.html).
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
TUNABLES = "GLIBC_TUNABLES"
# Has malloc ask for them; from version 2.35 on (https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html).
TUNABLE = "glibc.malloc.hugetlb"
ASK = f"{TUNABLE}=1"
FIRST_VERSION = (2, 35)


def ask_for_huge_pages(environment: MutableMapping[str, str]) -> None:
    """Have the C library of a process to be started ask for them, unless the operator has set its tunable."""
    given = environment.get(TUNABLES, "")
    if TUNABLE not in given:
        environment[TUNABLES] = f"{given}:{ASK}" if given else ASK


def has_huge_pages(setting: Path = SETTING, tunables: str | None = None, libc: tuple[int, ...] | None = None) -> bool:
    """Return whether large memory of this process comes in huge pages."""
    asks = ASK in (os.environ.get(TUNABLES, "") if tunables is None else tunables).split(":")
    chosen = _chosen(setting)
    return chosen == "always" or (chosen == "madvise" and asks and (libc or _libc_version()) >= FIRST_VERSION)


def _chosen(setting: Path) -> str:
    """Return the word in brackets of such as `always [madvise] never`; "" where there is no such system."""
    try:
        return setting.read_text().partition("[")[2].partition("]")[0]
    except OSError:
        return ""


def _libc_version() -> tuple[int, ...]:
    """Return the version of the GNU C library, () if this is another one."""
    try:
        return tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")))
    except (AttributeError, ValueError, OSError, IndexError):
        return ()

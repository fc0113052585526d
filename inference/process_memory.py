"""How much memory a process takes."""

import os
from pathlib import Path


def resident_bytes(pid: int) -> int | None:
    """Return the bytes of main memory that a process holds, mapped files included; None if the system does not say.

    Its number of resident pages (https://docs.kernel.org/filesystems/proc.html, statm) is kept by the kernel, so that
    reading it costs nothing, however large the process is.
    """
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

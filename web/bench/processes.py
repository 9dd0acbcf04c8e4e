"""What a process and its children use, read from /proc (Linux; proc(5))."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """``pss_bytes``: pages that several processes share count once, divided among them (proc(5), smaps_rollup)."""

    rss_bytes: int
    pss_bytes: int
    cpu_seconds: float


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def usage(pid: int) -> Usage | None:
    """Resident memory and processor time of the whole tree; None where it is gone or there is no /proc."""
    rss, pss, ticks, seen = 0, 0, 0, False
    for one in tree(pid) if Path("/proc/self/stat").exists() else []:
        if fields := _stat(one):
            seen = True
            ticks += int(fields[11]) + int(fields[12])  # user and system
            rss += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            pss += _pss(one)
    return Usage(rss, pss, ticks / os.sysconf("SC_CLK_TCK")) if seen else None


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third (state) on; the name before them may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

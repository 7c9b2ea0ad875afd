"""Ordinary priority for every thread of this process.

SVT-AV1 gives itself and whoever calls it real-time priority wherever it may, that is, for root: nothing else on the machine
gets a processor before it has finished. There is no setting against it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Whatever is begun inside has the priority that this process had before."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getscheduler(0)
    try:
        yield
    finally:
        if before != os.SCHED_FIFO:
            _take_back()


def _take_back() -> None:
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if os.sched_getscheduler(int(task.name)) == os.SCHED_FIFO:
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))

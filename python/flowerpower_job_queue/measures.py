"""What a node used while it ran: time, processor time, and by how much the process grew."""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple


class Measure:
    """Of one node, from where it begins."""

    __slots__ = ("beside", "cpu", "memory", "number", "started")

    def __init__(self, number: int, beside: bool) -> None:
        self.number = number
        # Whether another node was running when it began.
        self.beside = beside
        self.memory = None if beside else resident_now()
        self.restart()

    def restart(self) -> None:
        """Leaves out what has passed so far."""
        self.cpu, self.started = time.thread_time(), time.perf_counter()


class Used(NamedTuple):
    """What a node used. What cannot be told apart from another node's is None."""

    duration_ms: float
    cpu_ms: float | None
    memory_growth_bytes: int | None


class Measures:
    """The nodes that run in this process now. Safe to use from every thread."""

    def __init__(self, one_thread: bool = False) -> None:
        # True when nodes share a thread, whose processor time then belongs to none of them.
        self._one_thread = one_thread
        self._lock = threading.Lock()
        self._begun = 0
        self._running = 0

    def begin(self) -> Measure:
        """A node begins."""
        with self._lock:
            self._begun += 1
            self._running += 1
            number, beside = self._begun, self._running > 1
        return Measure(number, beside)

    def end(self, measure: Measure) -> Used:
        """The node has ended."""
        cpu, now = time.thread_time(), time.perf_counter()
        with self._lock:
            self._running -= 1
            shared = measure.beside or self._begun != measure.number
        before = None if shared else measure.memory
        after = None if before is None else resident_now()
        return Used(
            round((now - measure.started) * 1000, 3),
            None if shared and self._one_thread else round((cpu - measure.cpu) * 1000, 3),
            None if before is None or after is None else after - before,
        )


_PAGE = os.sysconf("SC_PAGE_SIZE")
_statm: tuple[int, int] | None = None


def resident_now() -> int | None:
    """The process' memory in RAM; None where only its peak can be asked for. Kept open: this is asked twice a node."""
    global _statm
    try:
        pid = os.getpid()
        if _statm is None or _statm[0] != pid:
            # A forked process has its parent's open file, which tells of the parent.
            _statm = (pid, os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC))
        return int(os.pread(_statm[1], 128, 0).split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None

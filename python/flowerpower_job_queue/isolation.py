"""Makes a warm process look new to the next run: what a run changes in it is put back.

Put back: working directory, environment with its time zone, sys.path, sys.argv, stdout and stderr, logging (handlers,
levels, filters, the global switch), warning filters, signal handlers, Python's own hooks, tracing, locale, umask, the
default timeout of sockets, decimal and numpy arithmetic, recursion limit, garbage collection. Random generators are
seeded anew, as in a new process: putting their old state back would give every run the same numbers.
Survives on purpose, because the next run needs it: imported modules with their globals, and what importing them did.
"""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import Any

from .interrupts import interrupts

# Those that programs handle; asking for all of them takes longer than the rest of the snapshot.
_SIGNALS = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGALRM, signal.SIGCHLD,
    signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip
_HOOKS = (
    (sys, "excepthook"), (sys, "displayhook"), (sys, "unraisablehook"), (threading, "excepthook"),
    (warnings, "showwarning"), (warnings, "formatwarning"),
)  # fmt: skip


class ProcessState:
    """A snapshot, taken when the pipeline's modules have been imported and before the first node runs."""

    def __init__(self) -> None:
        self._cwd = os.getcwd()
        self._environment = _environment()
        self._path = list(sys.path)
        self._arguments = list(sys.argv)
        self._signals = {number: signal.getsignal(number) for number in _SIGNALS}
        self._hooks = [(module, name, getattr(module, name)) for module, name in _HOOKS]
        self._trace, self._profile = sys.gettrace(), sys.getprofile()
        self._locale = locale.setlocale(locale.LC_ALL)
        self._umask = os.umask(0)
        os.umask(self._umask)
        self._socket_timeout = socket.getdefaulttimeout()
        self._decimal = decimal.getcontext().copy()
        numpy = sys.modules.get("numpy")
        self._numpy_errors: dict[str, Any] | None = None if numpy is None else numpy.geterr()
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._warnings = list(warnings.filters)
        self._recursion_limit = sys.getrecursionlimit()
        self._collects = gc.isenabled()
        self._disabled = logging.root.manager.disable
        self._loggers = {logger: _logger_state(logger) for logger in _loggers()}
        self._threads = set(threading.enumerate())

    def restore(self) -> None:
        """Puts everything back."""
        with suppress(OSError):
            os.chdir(self._cwd)
        if _environment() != self._environment:
            os.environb.clear()
            os.environb.update(self._environment)
            time.tzset()
        if sys.path != self._path:
            sys.path[:] = self._path
        sys.argv[:] = self._arguments
        self._restore_python()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        if sys.stdin.closed:
            # `quit()` and `exit()` close it before they raise SystemExit.
            sys.stdin = open(os.devnull)  # noqa: SIM115 (stays open as long as the process)
        if warnings.filters != self._warnings:
            warnings.filters[:] = self._warnings  # pyright: ignore[reportIndexIssue]
            warnings._filters_mutated()  # pyright: ignore  (filters are cached by version)
        sys.setrecursionlimit(self._recursion_limit)
        (gc.enable if self._collects else gc.disable)()
        self._restore_logging()
        interrupts.install()

    def _restore_python(self) -> None:
        # First: an alarm that a run has left behind would end the process in the middle of the next one.
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        for number, handler in self._signals.items():
            # None: a handler of C code, which Python could not put back.
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)
        for module, name, value in self._hooks:
            setattr(module, name, value)
        sys.settrace(self._trace)
        sys.setprofile(self._profile)
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
        os.umask(self._umask)
        socket.setdefaulttimeout(self._socket_timeout)
        decimal.setcontext(self._decimal)
        if self._numpy_errors is not None:
            sys.modules["numpy"].seterr(**self._numpy_errors)

    def _restore_logging(self) -> None:
        if logging.root.manager.disable != self._disabled:
            logging.disable(self._disabled)
        for logger in _loggers():
            state = self._loggers.get(logger)
            if state is None:
                # A logger of this run: its name may be met again, its handlers would write every line twice.
                logger.handlers.clear()
                logger.setLevel(logging.NOTSET)
                logger.propagate, logger.disabled = True, False
            elif state != _logger_state(logger):
                level, handlers, filters, propagate, disabled = state
                logger.handlers[:], logger.filters[:] = handlers, filters
                logger.propagate, logger.disabled = propagate, disabled
                logger.setLevel(level)

    def threads_left(self) -> list[str]:
        """Names of the non-daemon threads that have begun since and still run."""
        return [t.name for t in threading.enumerate() if t not in self._threads and not t.daemon and t.is_alive()]


def _environment() -> dict[bytes, bytes]:
    # `dict(os.environ)` makes four calls for each variable, which is dear twice in each run.
    return dict(getattr(os.environb, "_data", os.environb))


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logging.root, *(logger for logger in known if isinstance(logger, logging.Logger))]


def _logger_state(logger: logging.Logger) -> tuple[Any, ...]:
    return (logger.level, tuple(logger.handlers), tuple(logger.filters), logger.propagate, logger.disabled)


def seed_anew() -> None:
    """New numbers for the next run. Runs no code of the pipeline's, so that it need not be waited for."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        # As much entropy as it takes by itself, in a tenth of the time.
        numpy_random.seed(list(memoryview(os.urandom(16)).cast("I")))


def resident_bytes() -> int:
    """The process' memory now."""
    try:
        fd = os.open("/proc/self/statm", os.O_RDONLY)
        try:
            return int(os.read(fd, 256).split()[1]) * os.sysconf("SC_PAGE_SIZE")
        finally:
            os.close(fd)
    except OSError:
        import resource

        # macOS has only the peak, in bytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

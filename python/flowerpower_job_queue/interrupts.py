"""SIGINT stops the pipeline, and nothing else: never half a message, never the runtime itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

# Raising inside these may leave a lock taken for ever, and Hamilton's loop over a pool's futures is in them most of
# the time.
_LOCKING = frozenset(
    ("concurrent.futures._base", "concurrent.futures.thread", "concurrent.futures.process", "threading")
)
_RETRY_S, _RETRIES = 0.002, 100


class Interrupts:
    """Turns one SIGINT per run into a KeyboardInterrupt in the pipeline.

    Only one: a second would leave a thread pool that is being shut down in a state from which it cannot be used again.
    Who does not stop after the first is killed by the parent.
    """

    def __init__(self) -> None:
        self._armed = False
        # Whether this run was sent one: a KeyboardInterrupt of the pipeline's own is a failure like any other.
        self.arrived = False
        self._shields = 0
        self._pending = False
        self._postponed = 0
        self._main = threading.main_thread()

    def install(self) -> None:
        """Takes over SIGINT; again after a run, in case the pipeline has put in a handler of its own."""
        if signal.getsignal(signal.SIGINT) != self._on_signal:
            signal.signal(signal.SIGINT, self._on_signal)

    def arm(self) -> None:
        """From here on SIGINT is for the pipeline."""
        # A handler that its module has put in gives way: after the first run it would be gone anyway.
        self.install()
        self._pending = False
        self._postponed = 0
        self.arrived = False
        self._armed = True

    def disarm(self) -> None:
        """From here on SIGINT is ignored."""
        self._armed = False

    def _on_signal(self, _signal: int, frame: FrameType | None) -> None:
        if not self._armed:
            return
        inside = frame is not None and frame.f_globals.get("__name__") in _LOCKING
        if inside and self._postponed < _RETRIES:
            # Not for ever: a node may wait in there by itself. A timer needs no lock, a thread would.
            self._postponed += 1
            signal.signal(signal.SIGALRM, self._on_signal)
            signal.setitimer(signal.ITIMER_REAL, _RETRY_S)
            return
        self._armed = False
        self.arrived = True
        if self._shields:
            self._pending = True
        else:
            raise KeyboardInterrupt

    @contextmanager
    def shield(self) -> Generator[None]:
        """Holds a SIGINT back until the block is done. Signals arrive on the main thread only."""
        if threading.current_thread() is not self._main:
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
            if self._pending and not self._shields:
                self._pending = False
                raise KeyboardInterrupt


interrupts = Interrupts()


def reraise_interrupt(error: BaseException) -> None:
    """Of what was raised while a value was looked at, only our own SIGINT is more than the value's."""
    if isinstance(error, KeyboardInterrupt) and interrupts.arrived:
        raise error

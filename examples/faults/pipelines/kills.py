"""Ends the process that runs it, as the kernel does when memory runs out or C code goes astray."""

import os
import signal


def before() -> str:
    """A node that succeeds, so that something has run."""
    return "still here"


def deadly(before: str, signal_name: str) -> int:
    """Sends the signal to its own process."""
    number = signal.Signals[signal_name]
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return int(number)


def after(deadly: int) -> str:
    """Never runs."""
    return f"survived {deadly}"

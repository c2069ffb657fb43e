"""Three nodes that wait one after the other, for whoever wants to cancel, time out, or watch."""

import time


def morning(seconds: float) -> float:
    """Waits, and says so before and after."""
    return _wait("morning", seconds)


def noon(morning: float, seconds: float) -> float:
    """Waits."""
    return morning + _wait("noon", seconds)


def evening(noon: float, seconds: float) -> float:
    """Waits; the sum of all waiting is the result."""
    return noon + _wait("evening", seconds)


def _wait(node: str, seconds: float) -> float:
    print(f"{node} begins")
    time.sleep(seconds)
    print(f"{node} is over")
    return seconds

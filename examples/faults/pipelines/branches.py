"""One branch for each item, each of two nodes, and a sum over all of them."""

import time

from hamilton.htypes import Collect, Parallelizable


def item(items: int) -> Parallelizable[int]:
    """The items, one branch for each."""
    yield from range(items)


def waited(item: int, seconds: float) -> int:
    """Waits as long as a small download would."""
    time.sleep(seconds)
    return item


def squared(waited: int, fails_at: int) -> int:
    """The item's square; fails for the item `fails_at`."""
    if waited == fails_at:
        raise ValueError(f"item {waited} was told to fail")
    return waited * waited


def total(squared: Collect[int]) -> int:
    """The sum of the squares."""
    return sum(squared)

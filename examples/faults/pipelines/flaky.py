"""A source that is away for a while: fails until it has been tried often enough."""

from pathlib import Path


def tried(counter: Path) -> int:
    """How often this has been tried, this time included. The file `counter` remembers it."""
    before = int(counter.read_text()) if counter.exists() else 0
    counter.write_text(str(before + 1))
    return before + 1


def succeeded_at(tried: int, succeeds_at: int) -> int:
    """The try that worked."""
    if tried < succeeds_at:
        raise ConnectionError(f"try {tried} of {succeeds_at}: the source does not answer")
    return tried

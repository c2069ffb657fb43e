"""`@inject` fills a parameter from several nodes, or with a value."""

from hamilton.function_modifiers import group, inject, source, value


def monday() -> int:
    """Of one day."""
    return 3


def tuesday(monday: int) -> int:
    """Of the next."""
    return monday + 1


@inject(days=group(source("monday"), source("tuesday")), factor=value(10))
def week(days: list[int], factor: int) -> int:
    """Of all days."""
    return sum(days) * factor

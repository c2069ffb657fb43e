"""One call into C that keeps Python's lock: nothing else in the process runs until it returns."""


def total(numbers: int) -> int:
    """Adds up a range: about a second for each hundred million."""
    return sum(range(numbers))

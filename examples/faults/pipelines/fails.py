"""Three nodes in a row, of which one fails: the one that the input `at` names."""


def first(at: str) -> int:
    """The beginning."""
    return _unless(at, "first", 1)


def second(first: int, at: str) -> int:
    """The middle."""
    return _unless(at, "second", first + 1)


def third(second: int, at: str) -> int:
    """The end."""
    return _unless(at, "third", second + 1)


def _unless(at: str, node: str, value: int) -> int:
    if at == node:
        raise ValueError(f"{node} was told to fail")
    return value

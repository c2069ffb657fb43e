"""`@parameterize` and `@parameterize_sources` make several nodes of one function."""

from hamilton.function_modifiers import parameterize, parameterize_sources, source, value


@parameterize(
    small={"side": value(2)},
    large={"side": source("longest")},
)
def square(side: int) -> int:
    """The area of a square."""
    return side * side


@parameterize_sources(
    more={"first": "large", "second": "small"},
    less={"first": "small", "second": "large"},
)
def difference(first: int, second: int) -> int:
    """By how much the first is larger."""
    return first - second


def both(more: int, less: int) -> list[int]:
    """The two of them."""
    return [more, less]

"""Six nodes that take no time: what is left is the cost of running a pipeline at all."""


def first(n: int) -> int:
    return n + 1


def second(first: int) -> int:
    return first * 2


def third(first: int) -> int:
    return first * 3


def fourth(second: int, third: int) -> int:
    return second + third


def fifth(fourth: int) -> int:
    return fourth - 1


def total(fourth: int, fifth: int) -> int:
    return fourth + fifth

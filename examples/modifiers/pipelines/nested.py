"""`@subdag` runs a little graph of its own, once for each shop."""

from hamilton.function_modifiers import source, subdag, value


def _parts() -> list:
    """The functions of the little graph."""

    def net(gross: float, tax: float) -> float:
        return round(gross / (1 + tax), 2)

    def kept(net: float, share: float) -> float:
        return round(net * share, 2)

    return [net, kept]


@subdag(
    *_parts(), inputs={"gross": source("gross_north"), "tax": value(0.25)}, config={"share": 0.5}
)
def north(kept: float) -> float:
    """What the shop in the north keeps."""
    return kept


@subdag(
    *_parts(), inputs={"gross": source("gross_south"), "tax": value(0.0)}, config={"share": 1.0}
)
def south(kept: float) -> float:
    """What the shop in the south keeps."""
    return kept


def together(north: float, south: float) -> float:
    """Both shops."""
    return north + south

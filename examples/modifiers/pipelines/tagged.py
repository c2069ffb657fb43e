"""`@tag` and `@tag_outputs`: what is said about a node is in the graph."""

from hamilton.function_modifiers import extract_fields, tag, tag_outputs


@tag(owner="sales", personal="no")
def revenue(orders: int) -> int:
    """What came in."""
    return orders * 7


@tag_outputs(net={"owner": "finance"}, tax={"owner": "state"})
@extract_fields({"net": int, "tax": int})
def split(revenue: int) -> dict[str, int]:
    """Who gets what of it."""
    return {"net": revenue - revenue // 5, "tax": revenue // 5}

"""`@extract_columns` and `@extract_fields` make a node of each part."""

import pandas as pd
from hamilton.function_modifiers import extract_columns, extract_fields


@extract_columns("count", "price")
def stock() -> pd.DataFrame:
    """What is in store."""
    return pd.DataFrame({"count": [12, 3, 5], "price": [0.5, 2.8, None]})


@extract_fields({"cheapest": float, "known": int})
def prices(price: pd.Series) -> dict[str, float | int]:
    """Two facts about the prices."""
    return {"cheapest": float(price.min()), "known": int(price.notna().sum())}


def summary(count: pd.Series, cheapest: float, known: int) -> dict[str, float]:
    """All of it."""
    return {"count": int(count.sum()), "cheapest": cheapest, "known": known}

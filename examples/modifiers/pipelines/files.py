"""`@dataloader` and `@datasaver`: a node that reads, a node that writes."""

import os
import tempfile
from pathlib import Path

import pandas as pd
from hamilton.function_modifiers import dataloader, datasaver


@dataloader()
def stock(file: Path) -> tuple[pd.DataFrame, dict]:
    """Reads what is in store."""
    return pd.read_csv(file), {"path": str(file)}


def worth(stock: pd.DataFrame) -> pd.DataFrame:
    """What each item is worth."""
    return stock.assign(worth=stock["count"] * stock["price"])


@datasaver()
def saved(worth: pd.DataFrame) -> dict:
    """Writes it, in a run of the queue to the run's own folder."""
    folder = os.environ.get("FLOWERPOWER_RUN_DIR") or tempfile.mkdtemp()
    path = Path(folder, "worth.csv")
    worth.to_csv(path, index=False)
    return {"name": path.name, "rows": len(worth)}

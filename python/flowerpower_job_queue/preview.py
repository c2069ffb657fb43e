"""The first rows of a frame as JSON, for a person to look at: short, and in words where JSON has none.

| in the frame                 | in the preview                             |
| ---------------------------- | ------------------------------------------ |
| null, pandas' missing values | null                                       |
| NaN, Infinity                | "NaN", "Infinity", "-Infinity"             |
| integers beyond 2^53         | text                                       |
| date, time, datetime         | ISO 8601 text                              |
| duration                     | ISO 8601 text: `PT1H30M`                   |
| decimal                      | text                                       |
| bytes                        | "0x…", hexadecimal                         |
| long text, lists, structs    | cut, with `…`                              |
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
from typing import Any

from .results import MAX_EXACT_INTEGER, duration_text
from .text import clean

ROWS = 20
COLUMNS = 200
_MAX_TEXT = 200
_MAX_ITEMS = 10
_MAX_DEPTH = 3
_MAX_BYTES = 64 * 1024


def schema_of(table: Any) -> list[dict[str, str]]:
    """Name and type of each column of an Arrow table, as far as they are shown."""
    return [{"name": clean(field.name), "type": str(field.type)} for field in list(table.schema)[:COLUMNS]]


def rows_of(table: Any) -> list[list[Any]]:
    """The first rows of an Arrow table, each in the order of the columns; fewer of them when they are large."""
    columns = [_cells(table.column(i).slice(0, ROWS)) for i in range(min(table.num_columns, COLUMNS))]
    rows = [list(row) for row in zip(*columns, strict=True)]
    while rows and len(json.dumps(rows, ensure_ascii=False).encode()) > _MAX_BYTES:
        rows = rows[: len(rows) // 2]
    return rows


def _cells(column: Any) -> list[Any]:
    try:
        return [_cell(value) for value in column.to_pylist()]
    except Exception:
        # Nanoseconds that no Python value holds, or an extension type that wants a library.
        return [_text(str(value)) for value in column]


def _cell(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_EXACT_INTEGER else str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _text(f"0x{bytes(value[:_MAX_TEXT]).hex()}")
    if isinstance(value, datetime.timedelta):
        return duration_text(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if depth < _MAX_DEPTH and isinstance(value, dict):
        items = list(value.items())[:_MAX_ITEMS]
        cut = {"…": len(value) - len(items)} if len(value) > len(items) else {}
        return {_text(str(key)): _cell(item, depth + 1) for key, item in items} | cut
    if depth < _MAX_DEPTH and isinstance(value, (list, tuple)):
        shown = [_cell(item, depth + 1) for item in value[:_MAX_ITEMS]]
        return [*shown, "…"] if len(value) > len(shown) else shown
    return _text(str(value))


def _text(text: str) -> str:
    return clean(text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…")

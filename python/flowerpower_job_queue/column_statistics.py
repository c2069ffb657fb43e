"""Numbers about the numeric columns of a frame: cheap, bounded in size and time, and never a reason to fail.

As with summaries, libraries are recognised by the class of the value, and none is imported.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from typing import Any

from .configuration import is_secret_name
from .interrupts import reraise_interrupt

# Four passes over so much memory take about 20 ms.
MAX_BYTES = 16 * 1024 * 1024
MAX_SECONDS = 0.02

Statistics = dict[str, float | int | None]


def column_statistics(value: Any, size: int, columns: int) -> list[Statistics | None]:
    """Of each of the first columns `min`, `max`, `mean` and `nulls`; None for what has none, or came too late."""
    found: list[Statistics | None] = [None] * columns
    if size > MAX_BYTES:
        return found
    until = time.perf_counter() + MAX_SECONDS
    for index, (name, statistics) in enumerate(_of_columns(value, columns)):
        found[index] = None if is_secret_name(name) else statistics
        if time.perf_counter() > until:
            break
    return found


def _of_columns(value: Any, columns: int) -> Iterator[tuple[str, Statistics | None]]:
    library = type(value).__module__.partition(".")[0]
    for index in range(columns):
        try:
            if library == "pandas":
                yield str(value.columns[index]), _of_pandas(value.iloc[:, index])
            elif library == "polars":
                column = value.to_series(index)
                yield column.name, _of_polars(column)
            else:
                yield value.schema.field(index).name, _of_arrow(value.column(index))
        except BaseException as error:
            # A type of column that has no minimum, or somebody's own; a panic of polars is no Exception.
            reraise_interrupt(error)
            yield "", None


def _of_pandas(column: Any) -> Statistics | None:
    kind = getattr(column.dtype, "kind", "")
    if kind not in "iuf":
        return None
    values = column.to_numpy() if type(column.dtype).__module__.startswith("numpy") else None
    if values is None:
        # Nullable and Arrow columns know by themselves which values are missing.
        nulls = int(column.isna().sum())
        if nulls == len(column):
            return _statistics(None, None, None, nulls)
        return _statistics(column.min(), column.max(), column.mean(), nulls)
    nulls = 0
    if kind == "f":
        missing = values != values  # true for NaN alone
        nulls = int(missing.sum())
        if nulls:
            values = values[~missing]
    if len(values) == 0:
        return _statistics(None, None, None, nulls)
    return _statistics(values.min(), values.max(), values.mean(), nulls)


def _of_polars(column: Any) -> Statistics | None:
    if not column.dtype.is_numeric():
        return None
    return _statistics(column.min(), column.max(), column.mean(), int(column.null_count()))


def _of_arrow(column: Any) -> Statistics | None:
    arrow, compute = sys.modules["pyarrow"], sys.modules.get("pyarrow.compute")
    if compute is None or not (arrow.types.is_integer(column.type) or arrow.types.is_floating(column.type)):
        return None
    ends = compute.min_max(column)
    mean = compute.mean(column).as_py()
    return _statistics(ends["min"].as_py(), ends["max"].as_py(), mean, int(column.null_count))


def _statistics(least: Any, most: Any, mean: Any, nulls: int) -> Statistics:
    return {"min": _number(least), "max": _number(most), "mean": _number(mean), "nulls": nulls}


def _number(value: Any) -> float | None:
    """What JSON can carry: neither NaN nor infinite."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None

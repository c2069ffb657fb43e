"""Numbers about the numeric columns of a frame: cheap, bounded in size and time, and never a reason to fail.

As with summaries, libraries are recognised by the class of the value, and none is imported.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from .configuration import is_secret_name
from .interrupts import reraise_interrupt

# Three passes over so much memory take about 10 ms.
MAX_BYTES = 16 * 1024 * 1024
MAX_SECONDS = 0.02

Statistics = dict[str, float | int | None]


def column_statistics(value: Any, size: int, columns: int) -> list[Statistics | None]:
    """Of each of the first columns `min`, `max`, `mean` and `nulls`; None for what has none, or came too late."""
    found: list[Statistics | None] = [None] * columns
    if size > MAX_BYTES:
        return found
    until = time.perf_counter() + MAX_SECONDS
    of = _LIBRARIES[type(value).__module__.partition(".")[0]]
    for index in range(columns):
        try:
            name, statistics = of(value, index)
        except BaseException as error:
            # A type of column that has no minimum, or somebody's own; a panic of polars is no Exception.
            reraise_interrupt(error)
            continue
        found[index] = None if is_secret_name(name) else statistics
        if time.perf_counter() > until:
            break
    return found


def pandas_column(frame: Any, index: int) -> Any:
    """The array of a column; by pandas' own shortcut, a tenth of the time of making a Series."""
    shortcut = getattr(frame, "_get_column_array", None)
    return frame.iloc[:, index].values if shortcut is None else shortcut(index)


def _of_pandas(frame: Any, index: int) -> tuple[str, Statistics | None]:
    return str(frame.columns[index]), _of_array(pandas_column(frame, index))


def _of_array(array: Any) -> Statistics | None:
    kind = getattr(array.dtype, "kind", "")
    if kind not in "iuf":
        return None
    if type(array).__module__ != "numpy":
        # Nullable and Arrow columns know by themselves which values are missing.
        column = sys.modules["pandas"].Series(array)
        nulls = int(column.isna().sum())
        if nulls == len(column):
            return _statistics(None, None, None, nulls)
        return _statistics(column.min(), column.max(), column.mean(), nulls)
    nulls = 0
    if len(array) > 0:
        least = array.min()
        if least == least:
            return _statistics(least, array.max(), array.mean(), 0)
        # The least is NaN where any is.
        missing = array != array
        nulls = int(missing.sum())
        array = array[~missing]
    if len(array) == 0:
        return _statistics(None, None, None, nulls)
    return _statistics(array.min(), array.max(), array.mean(), nulls)


def _of_polars(frame: Any, index: int) -> tuple[str, Statistics | None]:
    column = frame.to_series(index)
    if not column.dtype.is_numeric():
        return column.name, None
    return column.name, _statistics(column.min(), column.max(), column.mean(), int(column.null_count()))


def _of_arrow(table: Any, index: int) -> tuple[str, Statistics | None]:
    name, column = table.schema.field(index).name, table.column(index)
    arrow, compute = sys.modules["pyarrow"], sys.modules.get("pyarrow.compute")
    if compute is None or not (arrow.types.is_integer(column.type) or arrow.types.is_floating(column.type)):
        return name, None
    ends = compute.min_max(column)
    mean = compute.mean(column).as_py()
    return name, _statistics(ends["min"].as_py(), ends["max"].as_py(), mean, int(column.null_count))


_LIBRARIES = {"pandas": _of_pandas, "polars": _of_polars, "pyarrow": _of_arrow}


def _statistics(least: Any, most: Any, mean: Any, nulls: int) -> Statistics:
    return {"min": _number(least), "max": _number(most), "mean": _number(mean), "nulls": nulls}


def _number(value: Any) -> float | None:
    """What JSON can carry: neither NaN nor infinite."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None

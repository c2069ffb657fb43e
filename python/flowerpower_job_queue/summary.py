"""What a value looks like, without the value: cheap, bounded, and never a reason for a node to fail.

Libraries are recognised by the class of the value; none is imported. A lazy frame is never computed.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
import reprlib
import sys
import uuid
from typing import Any

from .column_statistics import column_statistics, pandas_column
from .interrupts import reraise_interrupt
from .text import clean, one_line

MAX_COLUMNS = 50
MAX_PREVIEW = 500
_PREVIEW_COLUMNS = 8

_PLAIN = (datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, enum.Enum, pathlib.PurePath, uuid.UUID)


def summarize(value: Any, statistics: bool = False) -> dict[str, Any]:
    """A ValueSummary of the protocol; with statistics of a frame's numeric columns where they are asked for."""
    summary: dict[str, Any] = {
        "type": type_name(type(value)),
        "shape": None,
        "length": None,
        "bytes": None,
        "columns": None,
        "preview": None,
    }
    try:
        _fill(summary, value)
        if summary["preview"] is not None:
            summary["preview"] = clean(one_line(summary["preview"], MAX_PREVIEW - 40))
        if statistics and summary["columns"] and summary["bytes"] is not None:
            _add_statistics(summary["columns"], value, summary["bytes"])
    except BaseException as error:
        # Somebody's __len__ or __repr__ raised, or polars panicked: the type alone is still true.
        reraise_interrupt(error)
        return {**dict.fromkeys(summary), "type": summary["type"]}
    return summary


def _add_statistics(columns: list[dict[str, Any]], value: Any, size: int) -> None:
    for column, statistics in zip(columns, column_statistics(value, size, len(columns)), strict=True):
        if statistics is not None:
            column["statistics"] = statistics


def type_name(cls: type) -> str:
    """`int`, `pandas.DataFrame`: by the shortest module that has the class."""
    try:
        if cls.__module__ == "builtins":
            return cls.__qualname__
        top = cls.__module__.partition(".")[0]
        if getattr(sys.modules.get(top), cls.__qualname__, None) is cls:
            return f"{top}.{cls.__qualname__}"
        return f"{cls.__module__}.{cls.__qualname__}"
    except Exception:
        # Somebody's metaclass, or a module that computes its attributes.
        return type.__dict__["__name__"].__get__(cls)


def _fill(summary: dict[str, Any], value: Any) -> None:
    if value is None or isinstance(value, (bool, int, float, complex)):
        summary["preview"] = _number(value)
    elif isinstance(value, str):
        summary.update(length=len(value), bytes=sys.getsizeof(value), preview=repr(value[:MAX_PREVIEW]))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        size = value.nbytes if isinstance(value, memoryview) else len(value)
        summary.update(length=size, bytes=size, preview=repr(bytes(value[:60])))
    elif isinstance(value, (list, tuple, dict, set, frozenset)):
        summary.update(length=len(value), preview=_short.repr(value))
    elif isinstance(value, _PLAIN):
        summary["preview"] = repr(value) if isinstance(value, enum.Enum) else str(value)
    else:
        _fill_from_library(summary, value)


def _number(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 1000:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)


def _fill_from_library(summary: dict[str, Any], value: Any) -> None:
    library = type(value).__module__.partition(".")[0]
    if library == "pandas":
        _fill_from_pandas(summary, value)
    elif library == "polars":
        _fill_from_polars(summary, value)
    elif library == "pyarrow":
        _fill_from_arrow(summary, value)
    elif library == "numpy":
        _fill_from_numpy(summary, value)
    elif dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
        summary["preview"] = f"{type(value).__name__}({_short.repr(fields)})"
    elif isinstance(value, BaseException):
        summary["preview"] = f"{type(value).__name__}: {value}"


def _fill_from_pandas(summary: dict[str, Any], value: Any) -> None:
    name = type(value).__name__
    if name == "DataFrame":
        rows, width = value.shape
        names = [str(column) for column in value.columns[:MAX_COLUMNS]]
        arrays = [pandas_column(value, index) for index in range(len(names))]
        columns = [
            {"name": clean(column), "type": str(array.dtype)} for column, array in zip(names, arrays, strict=True)
        ]
        summary.update(shape=[rows, width], bytes=_bytes_of_frame(value), columns=columns)
        first = {names[i]: arrays[i][0] for i in range(min(width, _PREVIEW_COLUMNS))} if rows else {}
        summary["preview"] = _frame_preview(rows, width, first)
    elif name == "Series" or name.endswith("Index"):
        summary.update(shape=[len(value)], length=len(value), bytes=int(value.memory_usage(deep=False)))
        items = value.iloc[:5] if name == "Series" else value[:5]
        summary["preview"] = f"{value.dtype}: {_items(list(items), len(value))}"
    elif name in ("Timestamp", "Timedelta", "Interval", "Period", "NaTType", "NAType"):
        summary["preview"] = str(value)


def _bytes_of_frame(frame: Any) -> int:
    blocks = getattr(getattr(frame, "_mgr", None), "blocks", None)
    if blocks is None:
        return int(frame.memory_usage(deep=False).sum())
    # The same, without a step for each of thousands of columns.
    return sum(int(block.values.nbytes) for block in blocks) + int(frame.index.memory_usage(deep=False))


def _fill_from_polars(summary: dict[str, Any], value: Any) -> None:
    name = type(value).__name__
    if name == "DataFrame":
        rows, width = value.shape
        schema = list(value.schema.items())[:MAX_COLUMNS]
        columns = [{"name": clean(column), "type": str(dtype)} for column, dtype in schema]
        summary.update(shape=[rows, width], bytes=int(value.estimated_size()), columns=columns)
        narrow = value[:1, :_PREVIEW_COLUMNS]
        first = dict(zip(narrow.columns, narrow.row(0), strict=True)) if rows and width else {}
        summary["preview"] = _frame_preview(rows, width, first)
    elif name == "Series":
        summary.update(shape=[len(value)], length=len(value), bytes=int(value.estimated_size()))
        summary["preview"] = f"{value.dtype}: {_items(value[:5].to_list(), len(value))}"


def _fill_from_arrow(summary: dict[str, Any], value: Any) -> None:
    name = type(value).__name__
    if name in ("Table", "RecordBatch"):
        rows, width = value.num_rows, value.num_columns
        fields = [value.schema.field(i) for i in range(min(width, MAX_COLUMNS))]
        columns = [{"name": clean(field.name), "type": str(field.type)} for field in fields]
        summary.update(shape=[rows, width], bytes=int(value.nbytes), columns=columns)
        shown = range(min(width, _PREVIEW_COLUMNS))
        first = {fields[i].name: value.column(i)[0].as_py() for i in shown} if rows else {}
        summary["preview"] = _frame_preview(rows, width, first)
    elif hasattr(value, "nbytes") and hasattr(value, "__len__"):
        summary.update(length=len(value), bytes=int(value.nbytes))


def _fill_from_numpy(summary: dict[str, Any], value: Any) -> None:
    shape = getattr(value, "shape", None)
    if shape is None:
        return
    summary["bytes"] = int(value.nbytes)
    if shape == () and type(value).__name__ != "ndarray":
        summary["preview"] = str(value)
        return
    summary["shape"] = [int(size) for size in shape]
    summary["preview"] = f"{value.dtype}: {_items(list(value.flat[:5]), int(value.size))}"


def _frame_preview(rows: int, width: int, first: dict[str, Any]) -> str:
    size = f"{rows} rows, {width} columns"
    if not first:
        return size
    more = "" if width <= _PREVIEW_COLUMNS else ", …"
    return f"{size}; first: " + ", ".join(f"{name}={_short.repr(item)}" for name, item in first.items()) + more


def _items(items: list[Any], length: int) -> str:
    text = ", ".join(_short.repr(item) for item in items)
    return f"[{text}{', …' if length > len(items) else ''}]"


class _ShortRepr(reprlib.Repr):
    """A bounded repr that never calls the repr of a class it doesn't know: that may be slow, or huge, or compute."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxtuple, self.maxdict, self.maxset = 3, 6, 6, 6, 6
        self.maxstring, self.maxother = 60, 60

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, _PLAIN):
            return str(x)
        if type(x).__module__ == "numpy" and getattr(x, "shape", None) == ():
            return str(x)
        if x is None or isinstance(x, (bool, float, complex, bytes)):
            return repr(x)
        return f"<{type_name(type(x))}>"

    repr_NoneType = repr_bool = repr_float = repr_complex = repr_instance


_short = _ShortRepr()

"""How a value becomes a file. Never by pickle: a file is read by whoever gets it.

| value                                                       | file                                                 |
| ----------------------------------------------------------- | ---------------------------------------------------- |
| pandas.DataFrame, Series; polars.DataFrame, Series;         | Parquet, also when small                             |
| pyarrow Table, RecordBatch                                  |                                                      |
| str                                                         | text in UTF-8                                        |
| bytes, bytearray, memoryview                                | as it is                                             |
| numpy array                                                 | .npy, without objects                                |
| PIL image, matplotlib figure                                | PNG                                                  |
| what JSON carries (`results`), too large to be kept inline  | JSON; integers of any size, any text                 |

A library is recognised by the class of the value and taken from the modules that are loaded: none is imported for this,
but for pyarrow, which FlowerPower needs itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from .interrupts import reraise_interrupt
from .preview import rows_of, schema_of
from .results import NotSent, file_json
from .summary import type_name


class NotKept(Exception):
    """Why a value does not become a file."""


@dataclass(frozen=True)
class Format:
    """A value that can be written."""

    ending: str
    media_type: str
    write: Callable[[IO[bytes]], object]
    schema: list[dict[str, str]] | None = None
    preview: list[list[Any]] | None = None


def format_of(value: Any, max_bytes: int) -> Format:
    """How the value is written, or NotKept. What says its size beforehand is held against the limit at once."""
    if isinstance(value, str):
        return _text_file(value, max_bytes)
    if isinstance(value, (bytes, bytearray, memoryview)):
        refuse_size(value.nbytes if isinstance(value, memoryview) else len(value), max_bytes)
        return Format("bin", "application/octet-stream", lambda file: file.write(bytes(value)))
    library = _library_of(value)
    if library in ("pandas", "polars", "pyarrow"):
        return _frame(value, library, max_bytes)
    if library == "numpy":
        return _array(value, max_bytes)
    if library == "PIL":
        return Format("png", "image/png", lambda file: value.save(file, format="PNG"))
    if library == "matplotlib":
        return Format("png", "image/png", lambda file: value.savefig(file, format="png"))
    return _json_file(value, max_bytes)


def refuse_size(size: int, limit: int) -> None:
    """Raises NotKept for what is too large."""
    if size > limit:
        raise NotKept(f"not kept: {size_text(size)}, limit {size_text(limit)}")


def size_text(size: int) -> str:
    """`4.1 GB`, `100 MB`."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= length:
            return f"{size / length:.3g} {unit}"
    return f"{size} bytes"


# By library: the classes, or bases of them, that we know how to write.
_KNOWN = {
    "pandas": ("DataFrame", "Series"),
    "polars": ("DataFrame", "Series"),
    "pyarrow": ("Table", "RecordBatch"),
    "numpy": ("ndarray",),
    "PIL": ("Image",),
    "matplotlib": ("Figure",),
}


def _library_of(value: Any) -> str | None:
    for cls in type(value).__mro__:
        library = cls.__module__.partition(".")[0]
        if cls.__name__ in _KNOWN.get(library, ()):
            return library
    return None


def _text_file(value: str, max_bytes: int) -> Format:
    refuse_size(len(value), max_bytes)
    try:
        encoded = value.encode()
    except UnicodeEncodeError as error:
        raise NotKept("not kept: text with a lone surrogate, which UTF-8 cannot carry") from error
    refuse_size(len(encoded), max_bytes)
    return Format("txt", "text/plain; charset=utf-8", lambda file: file.write(encoded))


def _frame(value: Any, library: str, max_bytes: int) -> Format:
    if library == "pandas":
        memory = value.memory_usage(deep=False)
        refuse_size(int(getattr(memory, "sum", lambda: memory)()), max_bytes)
    elif library == "polars":
        refuse_size(int(value.estimated_size()), max_bytes)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = _as_table(value, library, pa)
    except BaseException as error:
        # A column with values of several types, or with objects that only Python knows, on which polars panics.
        reraise_interrupt(error)
        raise NotKept(f"not kept: {type_name(type(value))} does not fit into Parquet: {_first_line(error)}") from error
    refuse_size(int(table.nbytes), max_bytes)
    return Format(
        "parquet",
        "application/vnd.apache.parquet",
        lambda file: pq.write_table(table, file, compression="zstd"),
        schema_of(table),
        rows_of(table),
    )


def _as_table(value: Any, library: str, pa: Any) -> Any:
    is_series = any(cls.__name__ == "Series" for cls in type(value).__mro__)
    if library == "pandas":
        return pa.Table.from_pandas(value.to_frame() if is_series else value)
    if library == "polars":
        frame = value.to_frame() if is_series else value
        for name, dtype in frame.schema.items():
            # Arrow would be handed the addresses of the objects.
            if "Object" in str(dtype):
                raise TypeError(f"the column {name!r} holds Python objects")
        return frame.to_arrow()
    return pa.Table.from_batches([value]) if type(value).__name__ == "RecordBatch" else value


def _array(value: Any, max_bytes: int) -> Format:
    refuse_size(int(value.nbytes), max_bytes)
    if value.dtype.hasobject:
        raise NotKept("not kept: a numpy array of Python objects, which only pickle could carry")
    if hasattr(value, "mask"):
        raise NotKept("not kept: a numpy array with a mask, which .npy would lose")
    numpy = sys.modules["numpy"]
    write = numpy.lib.format.write_array
    return Format("npy", "application/x-npy", lambda file: write(file, numpy.asarray(value), allow_pickle=False))


def _json_file(value: Any, max_bytes: int) -> Format:
    try:
        converted = file_json(value, max_bytes)
        encoded = json.dumps(converted, separators=(",", ":"), allow_nan=False).encode()
    except NotSent as reason:
        raise NotKept(f"not kept: {reason}") from reason
    except ValueError as error:
        # An integer of more digits than Python writes out.
        raise NotKept(f"not kept: not JSON: {error}") from error
    refuse_size(len(encoded), max_bytes)
    return Format("json", "application/json", lambda file: file.write(encoded))


def _first_line(error: BaseException) -> str:
    text = str(error.args[0] if error.args else error)
    return (text.splitlines() or [type(error).__name__])[0][:300]

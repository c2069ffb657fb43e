"""Final variables as the worker keeps them: the value when it is JSON and small, a summary always.

A value is sent only when JSON carries it unchanged, or as the well-known text of its type. What JSON would change is
left out, and the reason is said with the place: NaN and Infinity, keys that are not strings, bytes inside of something
else. Nothing is ever rounded or replaced. What is left out here may still become a file (`artifact_formats`): a frame,
bytes, what is too large, and what only the database cannot take: integers beyond 2^53, text with NUL.

| Python                                   | JSON                             |
| ---------------------------------------- | -------------------------------- |
| None, bool, int, float, str              | the same                         |
| numpy scalars                            | their Python value               |
| list, tuple                              | array                            |
| set, frozenset                           | array, sorted where it can be    |
| dict with str keys, dataclass, pydantic  | object                           |
| date, datetime, time                     | ISO 8601 text                    |
| timedelta                                | ISO 8601 text: `P1DT2H30M`       |
| Decimal, UUID, Path                      | text                             |
| Enum                                     | its value                        |
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import uuid
from typing import Any

from .interrupts import reraise_interrupt
from .summary import summarize, type_name
from .text import clean, is_storable, one_line

MAX_EXACT_INTEGER = 2**53
_MAX_DEPTH = 64


class NotSent(Exception):
    """Why a value stays where it is, and where in it the reason lies."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason, place)

    def __str__(self) -> str:
        reason, place = self.args
        return f"{reason} at {place.lstrip('.')}" if place else reason

    def inside(self, step: str) -> NotSent:
        """The same, told from one level further out."""
        reason, place = self.args
        # Of something deep the way from the outside says enough.
        return NotSent(reason, f"{step}{place}"[:200])


class TooMuch(NotSent):
    """It is the whole that is too large, not something in it."""

    def inside(self, step: str) -> NotSent:
        """The same wherever it was found out."""
        return self


def describe_results(
    results: dict[str, Any], mode: str, max_inline_bytes: int, secret: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """A RunResult of the protocol for each final variable. `mode` is full, summary or none. `secret` stays here."""
    if mode == "none":
        return {}
    return {
        name: _withheld(value) if name in secret else describe_result(value, mode, max_inline_bytes)
        for name, value in results.items()
    }


def describe_result(value: Any, mode: str, max_inline_bytes: int) -> dict[str, Any]:
    """One final variable."""
    summary = summarize(value)
    if mode == "summary":
        return {"summary": summary, "omitted": "only summaries are kept (results: summary)"}
    try:
        converted = _Converter(max_inline_bytes, for_database=True).convert(value)
        size = len(json.dumps(converted, ensure_ascii=False, separators=(",", ":")).encode())
        if size > max_inline_bytes:
            raise TooMuch(_too_large(max_inline_bytes))
    except NotSent as reason:
        return {"summary": summary, "omitted": str(reason)}
    except BaseException as error:
        reraise_interrupt(error)
        return {"summary": summary, "omitted": f"not JSON: reading the value raised {type(error).__name__}"}
    return {"summary": summary, "value": converted, "omitted": None}


def _withheld(value: Any) -> dict[str, Any]:
    summary = {**summarize(value), "preview": None}
    return {"summary": summary, "omitted": "an input from the environment, or a secret, stays where it is"}


def file_json(value: Any, max_bytes: int) -> Any:
    """The value as JSON for a file, which takes more than the database does. Raises NotSent."""
    try:
        return _Converter(max_bytes, for_database=False).convert(value)
    except NotSent:
        raise
    except BaseException as error:
        reraise_interrupt(error)
        raise NotSent(f"not JSON: reading the value raised {type(error).__name__}") from error


class _Converter:
    """Turns a value into JSON, and gives up as soon as it is too large to be sent."""

    def __init__(self, max_bytes: int, for_database: bool) -> None:
        self._max_bytes = max_bytes
        self._for_database = for_database
        self._bytes = 0

    def convert(self, value: Any, depth: int = 0) -> Any:
        if depth > _MAX_DEPTH:
            raise TooMuch(f"not JSON: nested deeper than {_MAX_DEPTH}")
        value = _unwrapped(value)
        if value is None or isinstance(value, bool):
            self._count(4)
            return value
        if isinstance(value, int):
            if self._for_database and abs(value) > MAX_EXACT_INTEGER:
                raise NotSent("not JSON: an integer beyond 2^53 would be rounded")
            self._count(1)
            return int(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise NotSent(f"not JSON: {float(value)!r}")
            self._count(3)
            return float(value)
        if isinstance(value, str):
            if self._for_database and not is_storable(value):
                raise NotSent("not JSON: text with a NUL character or a lone surrogate")
            self._count(len(value) + 2)
            return str(value)
        if isinstance(value, (set, frozenset)):
            value = _in_order(value)
        if isinstance(value, (list, tuple)):
            return self._convert_list(value, depth)
        if isinstance(value, dict):
            return self._convert_dict(value, depth)
        raise NotSent(f"not JSON: {type_name(type(value))}")

    def _convert_list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        self._count(len(value))
        converted: list[Any] = []
        try:
            for item in value:
                converted.append(self.convert(item, depth + 1))
        except NotSent as reason:
            raise reason.inside(f"[{len(converted)}]") from None
        return converted

    def _convert_dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise NotSent(f"not JSON: a key of type {type_name(type(key))}")
            if self._for_database and (not is_storable(key) or key == "__proto__"):
                raise NotSent(f"not JSON: the key {key[:50]!a}")
            self._count(len(key) + 4)
            try:
                converted[key] = self.convert(item, depth + 1)
            except NotSent as reason:
                raise reason.inside(f".{one_line(clean(key), 50)}") from None
        return converted

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._max_bytes:
            raise TooMuch(_too_large(self._max_bytes))


def _unwrapped(value: Any) -> Any:
    """The plain value inside one of the types that have a well-known text."""
    if isinstance(value, enum.Enum):
        return _unwrapped(value.value)
    if value is None or isinstance(value, (str, bool, int, float, list, tuple, dict)):
        return value
    if type(value).__name__ in ("NaTType", "datetime64", "timedelta64"):
        return value  # Not a time, or a number whose unit JSON would lose.
    if isinstance(value, datetime.timedelta):
        return duration_text(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID, pathlib.PurePath)):
        return str(value)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _unwrapped(value.item()) if type(value).__name__ != "ndarray" else value
    if hasattr(type(value), "model_fields") and hasattr(value, "model_dump"):
        return value.model_dump()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def duration_text(value: datetime.timedelta) -> str:
    """ISO 8601, exact: `P1DT2H30M`, `-PT0.5S`."""
    own: Any = getattr(value, "isoformat", None)
    if own is not None:
        return own()  # pandas' has nanoseconds.
    if value < datetime.timedelta():
        return f"-{duration_text(-value)}"
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    parts = [(hours, "H"), (minutes, "M"), (f"{seconds}{fraction}" if seconds or fraction else 0, "S")]
    time = "".join(f"{number}{unit}" for number, unit in parts if number)
    days = f"{value.days}D" if value.days else ""
    return f"P{days}{'T' if time else ''}{time}" if days or time else "PT0S"


def _in_order(items: set[Any] | frozenset[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return list(items)


def _too_large(limit: int) -> str:
    return (
        f"too large: over {limit // 1024} KB, the inline limit" if limit >= 1024 else f"too large: over {limit} bytes"
    )

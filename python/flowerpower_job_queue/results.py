"""Final variables as the worker keeps them: the value when it is JSON and small, a summary always.

A value is sent only when JSON carries it unchanged, or as the well-known text of its type. What JSON would change is
left out, and the reason is said: NaN and Infinity, integers beyond 2^53, text with NUL or lone surrogates, keys that
are not strings. Nothing is ever rounded or replaced.

| Python                                   | JSON                    |
| ---------------------------------------- | ----------------------- |
| None, bool, int, float, str              | the same                |
| numpy scalars                            | their Python value      |
| list, tuple                              | array                   |
| dict with str keys, dataclass, pydantic  | object                  |
| date, datetime, time                     | ISO 8601 text           |
| Decimal, UUID, Path                      | text                    |
| Enum                                     | its value               |
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

from .summary import summarize, type_name
from .text import is_storable

MAX_EXACT_INTEGER = 2**53
_MAX_DEPTH = 64


class _NotSent(Exception):
    """Why a value stays where it is."""


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
        converted = _Converter(max_inline_bytes).convert(value)
        size = len(json.dumps(converted, ensure_ascii=False, separators=(",", ":")).encode())
        if size > max_inline_bytes:
            raise _NotSent(_too_large(max_inline_bytes))
    except _NotSent as reason:
        return {"summary": summary, "omitted": str(reason)}
    except Exception as error:
        return {"summary": summary, "omitted": f"not JSON: reading the value raised {type(error).__name__}"}
    return {"summary": summary, "value": converted, "omitted": None}


def _withheld(value: Any) -> dict[str, Any]:
    summary = {**summarize(value), "preview": None}
    return {"summary": summary, "omitted": "an input from the environment, or a secret, stays where it is"}


class _Converter:
    """Turns a value into JSON, and gives up as soon as it is too large to be sent."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0

    def convert(self, value: Any, depth: int = 0) -> Any:
        if depth > _MAX_DEPTH:
            raise _NotSent(f"not JSON: nested deeper than {_MAX_DEPTH}")
        value = _unwrapped(value)
        if value is None or isinstance(value, bool):
            self._count(4)
            return value
        if isinstance(value, int):
            if abs(value) > MAX_EXACT_INTEGER:
                raise _NotSent("not JSON: an integer beyond 2^53 would be rounded")
            self._count(1)
            return int(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise _NotSent(f"not JSON: {float(value)!r}")
            self._count(3)
            return float(value)
        if isinstance(value, str):
            if not is_storable(value):
                raise _NotSent("not JSON: text with a NUL character or a lone surrogate")
            self._count(len(value) + 2)
            return str(value)
        if isinstance(value, (list, tuple)):
            self._count(len(value))
            return [self.convert(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return self._convert_dict(value, depth)
        raise _NotSent(f"not JSON: {type_name(type(value))}")

    def _convert_dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise _NotSent(f"not JSON: a key of type {type_name(type(key))}")
            if not is_storable(key) or key == "__proto__":
                raise _NotSent(f"not JSON: the key {key[:50]!a}")
            self._count(len(key) + 4)
            converted[key] = self.convert(item, depth + 1)
        return converted

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._max_bytes:
            raise _NotSent(_too_large(self._max_bytes))


def _unwrapped(value: Any) -> Any:
    """The plain value inside one of the types that have a well-known text."""
    if isinstance(value, enum.Enum):
        return _unwrapped(value.value)
    if value is None or isinstance(value, (str, bool, int, float, list, tuple, dict)):
        return value
    if type(value).__name__ in ("NaTType", "datetime64", "timedelta64"):
        return value  # Not a time, or a number whose unit JSON would lose.
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


def _too_large(limit: int) -> str:
    return (
        f"too large: over {limit // 1024} KB, the inline limit" if limit >= 1024 else f"too large: over {limit} bytes"
    )

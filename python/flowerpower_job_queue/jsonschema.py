"""The JSON Schema (2020-12) of what may be sent for an annotated type: `coerce.py`'s table, told to a client."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import pathlib
import types
import typing
import uuid
from typing import Any

Schema = dict[str, Any]

_MAX_DEPTH = 8


def json_schema(annotation: Any) -> Schema:
    """The schema, or `{}` when the type says nothing that JSON can be checked against."""
    try:
        return _schema(annotation, 0)
    except Exception:
        # A type that Python cannot look into (a broken forward reference) is no reason to describe nothing.
        return {}


def _schema(annotation: Any, depth: int) -> Schema:
    if depth > _MAX_DEPTH:
        return {}
    if annotation is None:
        return {"type": "null"}
    if isinstance(annotation, typing.NewType):
        return _schema(annotation.__supertype__, depth)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _schema(arguments[0], depth)
    if origin is typing.Literal:
        return _choice([option.value if isinstance(option, enum.Enum) else option for option in arguments])
    if origin in (typing.Union, types.UnionType):
        return _union([_schema(argument, depth + 1) for argument in arguments])
    return _of_container(origin or annotation, arguments, depth)


def _of_container(container: Any, arguments: tuple[Any, ...], depth: int) -> Schema:
    def inner(index: int) -> Schema:
        return _schema(arguments[index], depth + 1) if index < len(arguments) else {}

    if container in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
        values = inner(1)
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    if container is tuple and arguments and arguments[-1] is not Ellipsis:
        items = [_schema(argument, depth + 1) for argument in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if container in _ARRAYS:
        items = inner(0)
        unique = {"uniqueItems": True} if container in _SETS else {}
        return {"type": "array", **({"items": items} if items else {}), **unique}
    return _of_class(container, depth) if isinstance(container, type) else {}


def _of_class(cls: type, depth: int) -> Schema:
    if cls in _SCALARS:
        return dict(_SCALARS[cls])
    if issubclass(cls, enum.Enum):
        values = [member.value for member in cls]
        if all(isinstance(value, (str, int, float, bool)) for value in values):
            names = [name for name in cls.__members__ if name not in values]
            return _choice(values + names)
        return _choice(list(cls.__members__))
    if typing.is_typeddict(cls):
        return _object(typing.get_type_hints(cls), sorted(cls.__required_keys__), depth)
    if dataclasses.is_dataclass(cls):
        fields = [field for field in dataclasses.fields(cls) if field.init]
        hints = typing.get_type_hints(cls)
        missing = dataclasses.MISSING
        required = [field.name for field in fields if field.default is missing and field.default_factory is missing]
        return _object({field.name: hints[field.name] for field in fields}, required, depth)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        required = [name for name in cls._fields if name not in cls._field_defaults]  # pyright: ignore[reportAttributeAccessIssue]
        return _object(typing.get_type_hints(cls), required, depth)
    if hasattr(cls, "model_json_schema"):
        return cls.model_json_schema()  # pyright: ignore[reportAttributeAccessIssue]
    if issubclass(cls, datetime.datetime) and cls.__name__ == "Timestamp":
        return dict(_SCALARS[datetime.datetime])
    return {"type": "string"} if issubclass(cls, pathlib.PurePath) else {}


def _object(hints: dict[str, Any], required: list[str], depth: int) -> Schema:
    properties = {name: _schema(hint, depth + 1) for name, hint in hints.items()}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _choice(values: list[Any]) -> Schema:
    unique: list[Any] = []
    for value in values:
        if value not in unique:
            unique.append(value)
    return {"enum": unique}


def _union(members: list[Schema]) -> Schema:
    unique: list[Schema] = []
    for member in members:
        if member not in unique:
            unique.append(member)
    if {} in unique:
        return {}
    return unique[0] if len(unique) == 1 else {"anyOf": unique}


_ARRAYS = (
    list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Iterable,
    collections.abc.Collection, collections.abc.Set,
)  # fmt: skip
_SETS = (set, frozenset, collections.abc.Set)

_SCALARS: dict[type, Schema] = {
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    datetime.date: {"type": "string", "format": "date"},
    # Not "format": "date-time", which demands a zone.
    datetime.datetime: {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}"},
    datetime.time: {"type": "string", "pattern": "^\\d{2}:\\d{2}"},
    datetime.timedelta: {
        "type": "string",
        "pattern": "^-?([Pp][\\dTtDdHhMmSsWw.]+|(\\d+(\\.\\d+)?\\s*(ms|[wdhmsWDHMS])\\s*)+)$",
    },
    decimal.Decimal: {"type": ["string", "number"]},
    uuid.UUID: {"type": "string", "format": "uuid"},
    pathlib.Path: {"type": "string"},
}

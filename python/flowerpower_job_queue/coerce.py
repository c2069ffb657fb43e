"""JSON to the annotated type of an input, by one table; what is ambiguous is refused, with what to send instead.

| annotation                       | accepts                                                                      |
| -------------------------------- | ---------------------------------------------------------------------------- |
| Any, object, none                | anything, as it is                                                           |
| None                             | null                                                                         |
| bool                             | true, false                                                                  |
| int                              | an integer, also written 5.0; never true, never text                         |
| float                            | a number; the texts "NaN", "Infinity", "-Infinity"                           |
| str                              | text; never a number                                                         |
| bytes                            | Base64 text                                                                  |
| date                             | "2026-11-23"                                                                 |
| datetime, pandas.Timestamp       | "2026-11-23T06:00:00", with or without zone; a date alone is refused         |
| time                             | "06:00:00"                                                                   |
| timedelta                        | "90s", "1h30m", "PT1H30M"; a bare number is refused (seconds? milliseconds?) |
| Decimal                          | text, an integer, or a number of at most 15 digits                           |
| Path, UUID                       | text                                                                         |
| Enum                             | the value of a member, or its name; refused when they name different ones    |
| Literal                          | exactly one of the values                                                    |
| X | None, Union                  | what exactly one member takes; a member that takes it unchanged goes first   |
| list, tuple, set, Sequence …     | an array, item by item; a set refuses repeated items                         |
| dict, Mapping                    | an object, key by key and value by value                                     |
| dataclass, TypedDict, NamedTuple | an object with its fields; unknown fields are refused                        |
| pydantic model                   | what `model_validate` takes                                                  |
| Annotated, NewType               | as the type inside                                                           |
| anything else                    | nothing: such an input cannot be given as JSON                               |

A value that already is of the type (from YAML: a date) passes through. `jsonschema.py` says the same as JSON Schema.
"""

from __future__ import annotations

import base64
import binascii
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import re
import types
import typing
import uuid
from collections.abc import Callable
from typing import Any

from .type_text import type_text

MAX_EXACT = 2**53


class CoercionError(ValueError):
    """The value does not fit. `path` leads to the place inside it (`.day`, `[3].name`)."""

    def __init__(self, message: str, suggestion: str | None = None, path: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion
        self.path = path


def coerce(value: Any, annotation: Any) -> Any:
    """The value as the annotation wants it, or CoercionError."""
    if annotation is Any or annotation is object or isinstance(annotation, typing.TypeVar):
        return value
    if annotation is None or annotation is type(None):
        return _exactly(value, value is None, "null")
    if isinstance(annotation, typing.NewType):
        return coerce(value, annotation.__supertype__)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return coerce(value, typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return _literal(value, typing.get_args(annotation))
    if origin in (typing.Union, types.UnionType):
        return _union(value, typing.get_args(annotation), annotation)
    container = origin or annotation
    if container in _CONTAINERS:
        return _CONTAINERS[container](value, typing.get_args(annotation))
    if isinstance(annotation, type):
        return _plain(value, annotation)
    raise CoercionError(f"{type_text(annotation)} cannot be given as JSON")


def _plain(value: Any, cls: type) -> Any:
    convert = _SCALARS.get(cls)
    if convert is not None:
        return convert(value)
    if issubclass(cls, enum.Enum):
        return value if isinstance(value, cls) else _enum(value, cls)
    if typing.is_typeddict(cls):
        return _fields(value, typing.get_type_hints(cls), set(cls.__required_keys__), dict)
    if isinstance(value, cls):
        return value
    if dataclasses.is_dataclass(cls):
        return _dataclass(value, cls)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        required = {name for name in cls._fields if name not in cls._field_defaults}  # pyright: ignore[reportAttributeAccessIssue]
        return _fields(value, typing.get_type_hints(cls), required, cls)
    if hasattr(cls, "model_validate"):
        return _pydantic(value, cls)
    if issubclass(cls, datetime.datetime) and cls.__name__ == "Timestamp":
        return cls(_datetime(value))  # pyright: ignore[reportCallIssue]
    if issubclass(cls, pathlib.PurePath):
        return cls(_text(value, "a path"))
    raise CoercionError(f"{type_text(cls)} cannot be given as JSON")


def _exactly(value: Any, fits: bool, expected: str, suggestion: str | None = None) -> Any:
    if not fits:
        raise CoercionError(f"expected {expected}, got {_kind(value)}", suggestion)
    return value


def _text(value: Any, expected: str) -> str:
    return _exactly(value, isinstance(value, str), f"{expected} as text")


def _bool(value: Any) -> bool:
    suggestion = value.lower() if isinstance(value, str) and value.lower() in ("true", "false") else None
    return _exactly(value, isinstance(value, bool), "true or false", suggestion)


def _int(value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_EXACT:
        return int(value)
    suggestion = value if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else None
    return _exactly(value, isinstance(value, int) and not isinstance(value, bool), "an integer", suggestion)


def _float(value: Any) -> float:
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > MAX_EXACT and int(float(value)) != value:
            raise CoercionError("an integer that a float would round")
        return float(value)
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    suggestion = value if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) else None
    return _exactly(value, isinstance(value, float), "a number", suggestion)


def _str(value: Any) -> str:
    # YAML reads what is not quoted as a number or a date.
    is_plain = isinstance(value, (int, float, datetime.date)) and not isinstance(value, bool)
    return _exactly(value, isinstance(value, str), "text", f'"{value}"' if is_plain else None)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(_text(value, "Base64"), validate=True)
    except (binascii.Error, ValueError) as error:
        if isinstance(error, CoercionError):
            raise
        raise CoercionError("not Base64") from None


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    text = _text(value, "a date")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        day = text[:10] if re.match(r"\d{4}-\d{2}-\d{2}T", text) else None
        raise CoercionError('expected a date like "2026-11-23"', day)
    return _parsed(datetime.date.fromisoformat, text, "a date")


def _datetime(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    text = _text(value, "a date and time")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise CoercionError("a date without a time", f"{text}T00:00:00")
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
        raise CoercionError('expected a date and time like "2026-11-23T06:00:00+01:00"')
    return _parsed(datetime.datetime.fromisoformat, text, "a date and time")


def _time(value: Any) -> datetime.time:
    if isinstance(value, datetime.time):
        return value
    text = _text(value, "a time")
    if not re.match(r"\d{2}:\d{2}", text):
        raise CoercionError('expected a time like "06:00:00"')
    return _parsed(datetime.time.fromisoformat, text, "a time")


_DURATION = re.compile(
    r"(?P<sign>-)?(?:(?P<weeks>\d+(?:\.\d+)?)w)?(?:(?P<days>\d+(?:\.\d+)?)d)?(?:(?P<hours>\d+(?:\.\d+)?)h)?"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)m)?(?:(?P<seconds>\d+(?:\.\d+)?)s)?(?:(?P<milliseconds>\d+)ms)?"
)


def parse_duration(text: str) -> datetime.timedelta | None:
    """`90s`, `1h30m`, `PT1H30M`; None when it is something else."""
    compact = re.sub(r"\s+", "", text).lower()
    if re.match(r"-?p", compact):
        # ISO 8601 without months and years, whose length is not fixed.
        before, _, after = compact.replace("p", "", 1).partition("t")
        if re.search(r"[my]", before) or re.search(r"[dwy]", after):
            return None
        compact = before + after
    found = _DURATION.fullmatch(compact)
    if found is None or not any(found.group(name) for name in _DURATION.groupindex if name != "sign"):
        return None
    parts = {name: float(number) for name, number in found.groupdict().items() if name != "sign" and number}
    try:
        length = datetime.timedelta(**parts)
    except OverflowError:
        return None
    return -length if found["sign"] else length


def _timedelta(value: Any) -> datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise CoercionError("a duration without a unit", f"{value:g}s")
    length = parse_duration(_text(value, "a duration"))
    if length is None:
        raise CoercionError('expected a duration like "1h30m"')
    return length


def _decimal(value: Any) -> decimal.Decimal:
    if isinstance(value, decimal.Decimal):
        return value
    if isinstance(value, float):
        digits = repr(value)
        if not math.isfinite(value) or len(decimal.Decimal(digits).as_tuple().digits) > 15:
            raise CoercionError("a number that JSON may have rounded", f'"{digits}"')
        return decimal.Decimal(digits)
    if isinstance(value, int) and not isinstance(value, bool):
        return decimal.Decimal(value)
    text = _text(value, "a decimal number")
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise CoercionError('expected a decimal number like "9.99"') from None


def _uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else _parsed(uuid.UUID, _text(value, "a UUID"), "a UUID")


def _path(value: Any) -> pathlib.Path:
    return value if isinstance(value, pathlib.Path) else pathlib.Path(_text(value, "a path"))


def _parsed(parse: Callable[[str], Any], text: str, expected: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        raise CoercionError(f"not {expected}: {text[:60]!r}") from None


def _enum(value: Any, cls: type[enum.Enum]) -> enum.Enum:
    by_value = [member for member in cls if type(member.value) is type(value) and member.value == value]
    by_name = [member for name, member in cls.__members__.items() if name == value]
    found = set(by_value + by_name)
    if len(found) == 1:
        return found.pop()
    if found:
        raise CoercionError(f"ambiguous: {value!r} is the value of {by_value[0].name} and the name of another member")
    raise CoercionError(f"not one of {', '.join(repr(member.value) for member in cls)}"[:300])


def _literal(value: Any, options: tuple[Any, ...]) -> Any:
    for option in options:
        if type(option) is type(value) and option == value:
            return option
        if isinstance(option, enum.Enum) and option.value == value:
            return option
    raise CoercionError(f"not one of {', '.join(repr(option) for option in options)}"[:300])


def _union(value: Any, members: tuple[Any, ...], annotation: Any) -> Any:
    taken: list[Any] = []
    errors: list[CoercionError] = []
    for member in members:
        try:
            taken.append(coerce(value, member))
        except CoercionError as error:
            errors.append(error)
    unchanged = [result for result in taken if type(result) is type(value) and result == value]
    if unchanged:
        return unchanged[0]
    distinct: list[Any] = []
    for result in taken:
        if not any(type(result) is type(other) and result == other for other in distinct):
            distinct.append(result)
    if len(distinct) == 1:
        return distinct[0]
    if distinct:
        kinds = " or ".join(type_text(type(result)) for result in distinct)
        raise CoercionError(f"ambiguous: {kinds}?")
    remaining = [error for error, member in zip(errors, members, strict=True) if member is not type(None)]
    if len(remaining) == 1:
        raise remaining[0]
    raise CoercionError(f"expected {type_text(annotation)}, got {_kind(value)}")


def _array(value: Any) -> list[Any]:
    return list(_exactly(value, isinstance(value, (list, tuple, set, frozenset)), "an array"))


def _items(values: list[Any], annotation: Any) -> list[Any]:
    return [_inside(f"[{index}]", item, annotation) for index, item in enumerate(values)]


def _inside(path: str, value: Any, annotation: Any) -> Any:
    try:
        return coerce(value, annotation)
    except CoercionError as error:
        raise CoercionError(str(error), error.suggestion, path + error.path) from None


def _list(value: Any, arguments: tuple[Any, ...]) -> list[Any]:
    return _items(_array(value), arguments[0] if arguments else Any)


def _set(value: Any, arguments: tuple[Any, ...]) -> set[Any]:
    items = _list(value, arguments)
    try:
        unique = set(items)
    except TypeError:
        raise CoercionError("a set cannot hold arrays or objects") from None
    if len(unique) != len(items):
        raise CoercionError("a set with repeated items")
    return unique


def _tuple(value: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    values = _array(value)
    if not arguments:
        return tuple(values)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_items(values, arguments[0]))
    if len(values) != len(arguments):
        raise CoercionError(f"expected {len(arguments)} items, got {len(values)}")
    return tuple(_inside(f"[{i}]", item, arguments[i]) for i, item in enumerate(values))


def _dict(value: Any, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    items: dict[Any, Any] = _exactly(value, isinstance(value, dict), "an object")
    key_type, value_type = arguments if len(arguments) == 2 else (Any, Any)
    return {_key(key, key_type): _inside(f".{key}", item, value_type) for key, item in items.items()}


def _key(key: Any, annotation: Any) -> Any:
    # Keys of JSON objects are always text, so "7" can only mean 7 where integers are wanted.
    if annotation is int and isinstance(key, str) and re.fullmatch(r"-?\d+", key):
        return int(key)
    return _inside(f" key {key!r}", key, annotation)


def _fields(value: Any, hints: dict[str, Any], required: set[str], build: Callable[..., Any]) -> Any:
    given: dict[str, Any] = _exactly(value, isinstance(value, dict), "an object")
    for name in given:
        if name not in hints:
            raise CoercionError("unknown field", path=f".{name}")
    missing = sorted(required - given.keys())
    if missing:
        raise CoercionError("missing field", path=f".{missing[0]}")
    return build(**{name: _inside(f".{name}", item, hints[name]) for name, item in given.items()})


def _dataclass(value: Any, cls: type) -> Any:
    fields = [field for field in dataclasses.fields(cls) if field.init]
    hints = typing.get_type_hints(cls)
    missing = dataclasses.MISSING
    required = {field.name for field in fields if field.default is missing and field.default_factory is missing}
    try:
        return _fields(value, {field.name: hints[field.name] for field in fields}, required, cls)
    except CoercionError:
        raise
    except Exception as error:  # A __post_init__ that checks.
        raise CoercionError(f"{cls.__name__} refuses it: {error}") from None


def _pydantic(value: Any, cls: Any) -> Any:
    try:
        return cls.model_validate(value)
    except Exception as error:
        details = getattr(error, "errors", None)
        if details is None:
            raise CoercionError(f"{cls.__name__} refuses it: {error}") from None
        first = details()[0]
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise CoercionError(str(first["msg"]), path=path) from None


def _kind(value: Any) -> str:
    """The value's JSON type, as a sender knows it."""
    for types_, name in _KINDS:
        if isinstance(value, types_):
            return name
    return type_text(type(value))


_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "null"), (bool, "true or false"), (int, "an integer"), (float, "a number"),
    (str, "text"), (list, "an array"), (dict, "an object"),
)  # fmt: skip

_SCALARS: dict[type, Callable[[Any], Any]] = {
    bool: _bool, int: _int, float: _float, str: _str, bytes: _bytes, datetime.date: _date, datetime.datetime: _datetime,
    datetime.time: _time, datetime.timedelta: _timedelta, decimal.Decimal: _decimal, uuid.UUID: _uuid,
    pathlib.Path: _path,
}  # fmt: skip

_CONTAINERS: dict[Any, Callable[[Any, tuple[Any, ...]], Any]] = {
    list: _list, collections.abc.Sequence: _list, collections.abc.Iterable: _list, collections.abc.Collection: _list,
    collections.abc.MutableSequence: _list, set: _set, collections.abc.Set: _set,
    frozenset: lambda value, arguments: frozenset(_set(value, arguments)), tuple: _tuple, dict: _dict,
    collections.abc.Mapping: _dict, collections.abc.MutableMapping: _dict,
}  # fmt: skip

"""A type as Python code would write it."""

from __future__ import annotations

import re
import sys
import types
import typing
from typing import Any

_ALIASES = {"pandas": "pd", "polars": "pl", "numpy": "np", "pyarrow": "pa"}


def type_text(annotation: Any) -> str:
    """`int`, `list[str]`, `pd.DataFrame`, `float | None`."""
    try:
        return _text(annotation)
    except Exception:
        return str(annotation)


def _text(annotation: Any) -> str:
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, list):
        return f"[{', '.join(_text(item) for item in annotation)}]"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is None:
        return _name(annotation)
    if origin is typing.Annotated:
        return _text(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_text(argument) for argument in arguments)
    if origin is typing.Literal:
        return f"Literal[{', '.join(repr(argument) for argument in arguments)}]"
    # `Parallelizable` and `Collect` have an origin of their own; the builtins lose typing's capital letter.
    return f"{_name(origin)}[{', '.join(_text(argument) for argument in arguments)}]"


def _name(cls: Any) -> str:
    module, name = getattr(cls, "__module__", ""), getattr(cls, "__qualname__", None) or getattr(cls, "__name__", None)
    if name is None:
        return re.sub(r"\btyping\.", "", str(cls))
    if module in ("builtins", "typing", "collections.abc", "hamilton.htypes"):
        return name
    top = module.partition(".")[0]
    if top in _ALIASES and getattr(sys.modules.get(top), name.partition(".")[0], None) is not None:
        return f"{_ALIASES[top]}.{name}"
    return f"{module}.{name}"

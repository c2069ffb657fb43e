"""What a run was called with, as Python code: enough to do the same again with FlowerPower alone.

Inputs were coerced to their annotated types here, which FlowerPower does not do: a date of the request is a date in the
call. What may not be told (a secret) is read from an environment variable by whoever runs it again.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import math
import os
import pathlib
import re
import sys
import uuid
from typing import Any

from flowerpower.utils.security import SecurityError, validate_file_path

from .configuration import has_password, is_secret_name
from .overlays import Overlays
from .plan import Plan
from .project import LoadedPipeline
from .protocol import Run
from .retry import has_flat_fields

MAX_CODE_BYTES = 16 * 1024
_MAX_DEPTH = 32


class _Unwritable(Exception):
    """A value that is not written as code, and why."""


def call_of(request: Run, loaded: LoadedPipeline, plan: Plan, variables: list[str]) -> dict[str, Any]:
    """The call: inputs and config as Python expressions, and as its own command takes them, where it can."""
    code = _Code()
    inputs = {name: plan.inputs[name] for name in plan.inputs if _has_to_be_given(name, request, loaded, plan)}
    written = {
        "inputs": {name: code.of(f"inputs.{name}", name, value) for name, value in inputs.items()},
        "config": {name: code.of(f"config.{name}", name, value) for name, value in request.config.items()},
    }
    rewrites = has_flat_fields(loaded.document)
    needs_script = bool(code.problems or code.secrets) or rewrites or plan.is_async
    return {
        **written,
        "imports": sorted(code.imports),
        "problems": code.problems,
        # Names of variables: those that have to be set to run it again, and those that the secrets are taken from.
        "variables": variables,
        "secrets": sorted(code.secrets),
        # FlowerPower would write the YAML anew, without comments, and with the values of its references.
        "rewrites": rewrites,
        # FlowerPower cannot run these: they are given to Hamilton's own driver.
        "asyncModules": [module.__name__ for module in loaded.modules] if plan.is_async else None,
        "command": None if needs_script else _command(request, loaded, plan, bool(inputs)),
    }


def _command(request: Run, loaded: LoadedPipeline, plan: Plan, gives_inputs: bool) -> dict[str, str] | None:
    """The call as FlowerPower's own command takes it, as texts of JSON; None where it cannot say the same.

    What it is given replaces the YAML's inputs and config whole, so that all of them have to be given, also those from
    the environment, which are not told. It refuses folders with some letters in their path.
    """
    program = os.path.join(os.path.dirname(sys.executable), "flowerpower")
    given = {"inputs": plan.inputs if gives_inputs else {}, "config": plan.config if request.config else {}}
    for section, values in given.items():
        for name, value in values.items():
            origin = loaded.origins.of("pipeline", "run", section, str(name))
            is_foreign = origin is not None and origin.reference is not None
            is_asked = name in getattr(request, section)
            if (is_foreign and not is_asked) or type(name) is not str or not _survives_the_command(value):
                return None
            code = _Code()
            code.of(name, name, value)
            if code.secrets or code.problems:
                return None
    try:
        validate_file_path(os.getcwd())
    except SecurityError:
        return None
    if not os.access(program, os.X_OK):
        return None
    return {"program": program, **{section: json.dumps(values) for section, values in given.items()}}


def variables_of(referred: list[str]) -> list[str]:
    """The variables of the environment that this run's configuration was resolved with."""
    overlays = Overlays()
    set_here = [*overlays.variables("pipeline"), *overlays.variables("project")]
    return sorted({name for name in [*referred, *set_here] if os.environ.get(name)})


def _has_to_be_given(name: str, request: Run, loaded: LoadedPipeline, plan: Plan) -> bool:
    """Asked for, or turned by us into another type than YAML has. What comes from the environment is never told."""
    if name in request.inputs:
        return True
    origin = loaded.origins.of("pipeline", "run", "inputs", name)
    configured = (loaded.run_config.inputs or {}).get(name)
    return origin is not None and origin.reference is None and not _same(configured, plan.inputs[name])


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


def _survives_the_command(value: Any) -> bool:
    """FlowerPower's command takes JSON, and turns the texts "true" and "false" into booleans."""
    if isinstance(value, str):
        return value.lower() not in ("true", "false")
    if type(value) is dict:
        return all(type(key) is str and _survives_the_command(item) for key, item in value.items())
    if type(value) is list:
        return all(_survives_the_command(item) for item in value)
    return value is None or type(value) in (bool, int) or (type(value) is float and math.isfinite(value))


class _Code:
    """Writes values as Python, and notes what has to be imported and what could not be written."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.secrets: set[str] = set()
        self.problems: list[str] = []

    def of(self, path: str, name: str, value: Any) -> str:
        """The expression; `...` where there is none, which is then one of the problems."""
        try:
            code = self._write(name, value, 0)
            if len(code.encode(errors="replace")) > MAX_CODE_BYTES:
                raise _Unwritable("is too large to be printed")
            return code
        except _Unwritable as why:
            self.problems.append(f"{path} {why}: put it in yourself")
            return "..."

    def _write(self, name: str, value: Any, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise _Unwritable("is nested too deeply to be printed")
        if isinstance(value, enum.Enum):
            return f"{self._imported(type(value))}[{value.name!r}]"
        if value is not None and (is_secret_name(name) or (isinstance(value, str) and has_password(value))):
            return self._secret(name)
        if value is None or type(value) in (bool, int, str, bytes):
            return repr(value)
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if type(value) is dict:
            pairs = [(self._write("", key, depth + 1), self._write(str(key), value[key], depth + 1)) for key in value]
            return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
        if type(value) in (list, tuple, set, frozenset):
            return self._sequence(name, value, depth)
        if type(value) in (datetime.date, datetime.datetime, datetime.time, datetime.timedelta):
            self.imports.add("datetime")
            return repr(value)
        if isinstance(value, pathlib.PurePath):
            self.imports.add("pathlib")
            return f"pathlib.Path({str(value)!r})"
        if type(value) in (decimal.Decimal, uuid.UUID):
            module = type(value).__module__
            self.imports.add(module)
            return f"{module}.{value!r}"
        raise _Unwritable(f"is a {type(value).__name__}, which cannot be printed as code")

    def _sequence(self, name: str, value: Any, depth: int) -> str:
        items = ", ".join(self._write(name, item, depth + 1) for item in value)
        if type(value) is list:
            return f"[{items}]"
        if type(value) is tuple:
            return f"({items},)" if value else "()"
        return f"{type(value).__name__}([{items}])"

    def _imported(self, cls: type) -> str:
        if "<" in cls.__qualname__:
            raise _Unwritable(f"is a {cls.__name__}, which cannot be imported")
        self.imports.add(cls.__module__)
        return f"{cls.__module__}.{cls.__qualname__}"

    def _secret(self, name: str) -> str:
        variable = re.sub(r"\W+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", name)).upper().strip("_") or "SECRET"
        self.imports.add("os")
        self.secrets.add(variable)
        return f"os.environ[{json.dumps(variable)}]"

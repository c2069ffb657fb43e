"""What went wrong, told so that a person can act on it. Nothing here trusts the exception: its `__str__` may raise."""

from __future__ import annotations

import linecache
import os
import traceback
from datetime import timedelta
from types import TracebackType
from typing import Any

from .environment import hint_for_missing_module
from .interrupts import interrupts
from .source import is_project_file, path_in_project
from .text import clean, shorten, shorten_middle

MAX_MESSAGE = 10_000
MAX_TRACEBACK = 40_000
MAX_CODE_LINE = 500
_LINES_AROUND = 3
# Seconds, a year: what is longer, or infinite, is a mistake.
_LONGEST_RETRY_AFTER = 366 * 86_400

Problem = dict[str, "str | None"]


class InvalidRun(Exception):
    """The request does not fit the pipeline."""

    def __init__(self, problems: list[Problem], hint: str | None = None) -> None:
        super().__init__("; ".join(_sentence(problem) for problem in problems))
        self.problems = problems
        self.hint = hint


def _sentence(problem: Problem) -> str:
    text, suggestion = f"{problem['path']}: {problem['message']}", problem["suggestion"]
    # A whole command or list stands for itself: it is in the problem, and too long for here.
    return text if suggestion is None or " " in suggestion else f"{text}. Did you mean {suggestion}?"


def problem(path: str, message: str, suggestion: str | None = None) -> Problem:
    """One thing that is wrong, and where."""
    return {"path": clean(path), "message": clean(message), "suggestion": suggestion and clean(suggestion)}


def describe_error(
    error: BaseException,
    project: str,
    *,
    kind: str | None = None,
    node: str | None = None,
    branch: str | None = None,
) -> dict[str, Any]:
    """An ErrorInfo of the protocol."""
    place = _place(error, project)
    file, line = (None, None) if place is None else (path_in_project(place[0], project), place[1])
    kind = kind or _kind(error)
    after = _retry_after_ms(error)
    return {
        "kind": kind,
        "type": class_name(type(error)),
        "message": shorten(clean(message_of(error)), MAX_MESSAGE),
        "classes": [qualified_name(cls) for cls in type(error).__mro__ if cls is not object],
        **({} if after is None else {"retryAfterMs": after}),
        "traceback": None if kind == "CANCELLED" and file is None else _traceback(error, project),
        "node": node,
        "branch": branch,
        "file": file,
        "line": line,
        "code": None if place is None else _code(*place),
        "excerpt": None if place is None else _excerpt(*place),
        "hint": _hint(error, project),
        "problems": error.problems if isinstance(error, InvalidRun) else [],
    }


def invalid(problems: list[Problem], hint: str | None = None) -> dict[str, Any]:
    """An ErrorInfo for a request or a configuration that does not fit: there is no exception to show."""
    info = describe_error(InvalidRun(problems, hint), "/", kind="INVALID")
    return {**info, "traceback": None, "type": "InvalidRun", "classes": ["flowerpower_job_queue.InvalidRun"]}


def message_of(error: BaseException) -> str:
    """The exception's text, or why it has none."""
    try:
        return str(error)
    except BaseException as inner:
        return f"(no message: {_name(type(error))}.__str__ raised {_name(type(inner))})"


def class_name(cls: type) -> str:
    """As Python shows it: builtins without their module."""
    try:
        return cls.__qualname__ if cls.__module__ in ("builtins", "__main__") else qualified_name(cls)
    except Exception:
        return _name(cls)


def qualified_name(cls: type) -> str:
    """Module and name."""
    try:
        return f"{cls.__module__}.{cls.__qualname__}"
    except Exception:
        return _name(cls)


def _name(cls: type) -> str:
    """Past a metaclass that does not tell."""
    return type.__dict__["__name__"].__get__(cls)


def _kind(error: BaseException) -> str:
    if isinstance(error, InvalidRun):
        return "INVALID"
    # By name: importing node_events here would go round. A KeyboardInterrupt without a SIGINT is the pipeline's own.
    if (isinstance(error, KeyboardInterrupt) and interrupts.arrived) or _name(type(error)) == "Cancelled":
        return "CANCELLED"
    return "PIPELINE"


def _retry_after_ms(error: BaseException) -> float | None:
    """What the exception's `retry_after` asks for: seconds, or a timedelta. Anything else asks for nothing."""
    try:
        after = getattr(error, "retry_after", None)
        if isinstance(after, timedelta):
            after = after.total_seconds()
        if isinstance(after, bool) or not isinstance(after, (int, float)):
            return None
        return after * 1000.0 if 0 <= after <= _LONGEST_RETRY_AFTER else None
    except BaseException:
        return None


def _hint(error: BaseException, project: str) -> str | None:
    if isinstance(error, InvalidRun):
        return error.hint
    if isinstance(error, ModuleNotFoundError) and error.name and not _is_local(error.name, project):
        return hint_for_missing_module(error.name)
    return None


def _is_local(module: str, project: str) -> bool:
    top = module.split(".")[0]
    folders = (project, os.path.join(project, "pipelines"))
    return any(os.path.exists(os.path.join(folder, top + end)) for folder in folders for end in ("", ".py"))


def _traceback(error: BaseException, project: str) -> str | None:
    """The traceback from the first frame inside the project on: what lies above is Hamilton and FlowerPower."""
    first = error.__traceback__
    frame = first
    while frame is not None and not is_project_file(frame.tb_frame.f_code.co_filename, project):
        frame = frame.tb_next
    try:
        lines = traceback.TracebackException(type(error), error, frame or first, compact=True).format()
        return shorten_middle(clean("".join(lines)), MAX_TRACEBACK)
    except Exception:
        return None


def _place(error: BaseException, project: str) -> tuple[str, int] | None:
    """File and last line of the project that the error passed through, or the line that does not parse."""
    if isinstance(error, SyntaxError) and error.filename and is_project_file(error.filename, project):
        return error.filename, error.lineno or 1
    found: TracebackType | None = None
    frame = error.__traceback__
    while frame is not None:
        if is_project_file(frame.tb_frame.f_code.co_filename, project):
            found = frame
        frame = frame.tb_next
    return None if found is None else (found.tb_frame.f_code.co_filename, found.tb_lineno)


def _code(filename: str, line: int) -> str | None:
    return shorten(clean(linecache.getline(filename, line).strip()), MAX_CODE_LINE) or None


def _excerpt(filename: str, line: int) -> dict[str, Any] | None:
    """The lines around one, for whoever has not the file before them; it may have changed by then."""
    lines = linecache.getlines(filename)
    if not 1 <= line <= len(lines):
        return None
    first = max(1, line - _LINES_AROUND)
    around = lines[first - 1 : line + _LINES_AROUND]
    return {"from": first, "lines": [shorten(clean(text.rstrip()), MAX_CODE_LINE) for text in around]}

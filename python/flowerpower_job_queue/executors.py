"""What runs the branches of a `Parallelizable` node, and whether this environment has it."""

from __future__ import annotations

import importlib.util
from typing import Any

from .environment import install_command

EXECUTORS = ("synchronous", "local", "threadpool", "processpool", "ray", "dask")
# Those that run branches in this process' own threads, as Hamilton does without being told.
LOCAL = ("synchronous", "local")
# The modules that an executor needs, with what brings them.
_NEEDS = {"ray": (("ray",), "ray"), "dask": (("dask", "distributed"), "dask[distributed]")}


def executor_hint(kind: str) -> str | None:
    """The command that installs what an executor needs; None when it is there."""
    modules, requirement = _NEEDS.get(kind, ((), ""))
    if all(importlib.util.find_spec(module) is not None for module in modules):
        return None
    return install_command(requirement)


def describe_executors() -> list[dict[str, Any]]:
    """Each executor, and how to install it where it is missing."""
    return [{"type": kind, "install": executor_hint(kind)} for kind in EXECUTORS]

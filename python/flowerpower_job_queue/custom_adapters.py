"""Adapters that a project declares: `job_queue.adapters: ["adapters.alerts:Alerts"]`.

FlowerPower takes adapters as objects only, which a YAML cannot carry. A name is imported, so it may come from the
project's own files alone: never from a request, and never from a library.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from hamilton.base import ResultMixin
from hamilton.lifecycle import LifecycleAdapter
from hamilton.lifecycle import base as lifecycle

from .errors import InvalidRun, Problem, problem
from .settings import nearest_name
from .source import is_project_file

# What the async driver calls. It does not call the hooks of nodes that are not async at the right time, and drops
# everything that is not a hook.
_ASYNC = (
    lifecycle.BasePreDoAnythingHook,
    lifecycle.BasePostGraphConstruct,
    lifecycle.BasePostGraphConstructAsync,
    lifecycle.BasePreGraphExecute,
    lifecycle.BasePreGraphExecuteAsync,
    lifecycle.BasePostGraphExecute,
    lifecycle.BasePostGraphExecuteAsync,
    lifecycle.BasePreNodeExecuteAsync,
    lifecycle.BasePostNodeExecuteAsync,
)


@dataclass(frozen=True)
class CustomAdapter:
    """A class of the project, by its reference."""

    reference: str
    cls: type

    @property
    def is_async(self) -> bool:
        """Whether Hamilton's async driver can use it."""
        bases = [each for each in get_args(LifecycleAdapter) if issubclass(self.cls, each)]
        return all(each in _ASYNC or (each is lifecycle.BaseDoBuildResult and self._builds_result()) for each in bases)

    @property
    def methods(self) -> frozenset[str]:
        """What it does in Hamilton's place (`do_node_execute`): of these a run can have one each."""
        kinds = (lifecycle.SYNC_METHOD, lifecycle.ASYNC_METHOD)
        named = (getattr(each, kind, None) for each in inspect.getmro(self.cls) for kind in kinds)
        return frozenset(name for name in named if isinstance(name, str))

    @property
    def executes_nodes(self) -> bool:
        """Whether it calls the nodes' functions itself, as reuse does."""
        return "do_node_execute" in self.methods

    def _builds_result(self) -> bool:
        return issubclass(self.cls, ResultMixin)


def load_custom_adapters(
    references: list[str], place: str, project: str, taken: Mapping[str, str]
) -> list[CustomAdapter]:
    """Imports them, or raises InvalidRun that says what is wrong with which. What a module raises flies on.

    `taken`: methods that only one adapter can have, with those of `with_adapter` that have them.
    """
    problems: list[Problem] = []
    found: list[CustomAdapter] = []
    owners = dict(taken)
    for index, reference in enumerate(references):
        cls, message, suggestion = _load(reference, project)
        if message is None:
            made = CustomAdapter(reference, cls)
            message = _conflict(made, owners)
            found.append(made)
        if message is not None:
            problems.append(problem(f"{place}.{index}", message, suggestion))
    if problems:
        raise InvalidRun(problems)
    return found


def _conflict(adapter: CustomAdapter, owners: dict[str, str]) -> str | None:
    """Hamilton would refuse the two when the run begins."""
    for method in sorted(adapter.methods):
        owner = owners.setdefault(method, adapter.reference)
        if owner != adapter.reference:
            return f"{owner} has {method} too, which Hamilton takes from one adapter only"
    return None


def _load(reference: str, project: str) -> tuple[Any, str | None, str | None]:
    module_name, _, name = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise
        return None, f"there is no module {module_name} in the project", None
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not is_project_file(file, project):
        return None, f"{module_name} is not the project's own; write a class in the project that uses it", None
    cls = getattr(module, name, None)
    if not inspect.isclass(cls):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        return None, f"there is no class {name} in {module_name}", nearest_name(name, classes)
    if not issubclass(cls, get_args(LifecycleAdapter)):
        return None, f"{name} is no adapter: it is derived from none of hamilton.lifecycle", None
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        return None, f"{name} lacks {missing}", None
    required = [
        parameter.name
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if required:
        return None, f"{name} is made without arguments, and wants {', '.join(required)}", None
    return cls, None, None

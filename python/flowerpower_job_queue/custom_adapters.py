"""Adapters that a project declares: `job_queue.adapters: ["adapters.alerts:Alerts"]`.

FlowerPower takes adapters as objects only, which a YAML cannot carry. A name is imported, so it may come from the
project's own files alone: never from a request, and never from a library.
"""

from __future__ import annotations

import importlib
import inspect
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

    def _builds_result(self) -> bool:
        return issubclass(self.cls, ResultMixin)


def load_custom_adapters(references: list[str], place: str, project: str) -> list[CustomAdapter]:
    """Imports them, or raises InvalidRun that says what is wrong with which. What a module raises flies on."""
    problems: list[Problem] = []
    found: list[CustomAdapter] = []
    for index, reference in enumerate(references):
        cls, message, suggestion = _load(reference, project)
        if message is None:
            found.append(CustomAdapter(reference, cls))
        else:
            problems.append(problem(f"{place}.{index}", message, suggestion))
    if problems:
        raise InvalidRun(problems)
    return found


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

"""The last check before a run: whether the request fits the pipeline as its code is now.

FlowerPower ignores unknown inputs and options, waits for ever on an empty list of final variables, and takes an unknown
executor for a local one. Here each of these is a problem with its place and, where there is one, what was meant.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hamilton import htypes

from .adapters import describe_adapters
from .coerce import CoercionError, coerce
from .describe import effective_final_vars
from .errors import InvalidRun, Problem, problem
from .executors import EXECUTORS, LOCAL, executor_hint
from .graph import CyclicGraph, PipelineGraph
from .project import LoadedPipeline
from .protocol import Run
from .settings import nearest_name
from .type_text import type_text

LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")
_MAX_DEPTH = 10


@dataclass(frozen=True)
class Plan:
    """What will run, with what."""

    graph: PipelineGraph
    final_vars: list[str]
    inputs: dict[str, Any]
    config: dict[str, Any]
    path: list[str]
    executor: dict[str, Any]
    blocks: dict[str, list[str]]
    is_async: bool


def plan_run(request: Run, loaded: LoadedPipeline) -> Plan:
    """The plan, or InvalidRun with everything that is wrong."""
    run = loaded.run_config
    config = {**(run.config or {}), **request.config}
    try:
        graph = loaded.graph(config)
    except CyclicGraph as cycle:
        raise InvalidRun([problem("pipeline", str(cycle))]) from None
    check = _Check(request, loaded, graph, config)
    final_vars = check.final_vars()
    inputs = check.inputs()
    executor = check.executor()
    check.depth("inputs", request.inputs)
    check.depth("config", request.config)
    check.log_level()
    check.recompute()
    check.stop_if_wrong()
    path, required = graph.needed_for(final_vars, inputs)
    check.missing(required, inputs)
    is_async = check.way(path, executor["type"])
    check.stop_if_wrong()
    return Plan(graph, final_vars, inputs, config, path, executor, graph.blocks(path), is_async)


class _Check:
    """Collects every problem, so that a person can mend all of them at once."""

    def __init__(self, request: Run, loaded: LoadedPipeline, graph: PipelineGraph, config: dict[str, Any]) -> None:
        self._request = request
        self._loaded = loaded
        self._graph = graph
        self._config = config
        self._problems: list[Problem] = []
        self._hint: str | None = None

    def refuse(self, path: str, message: str, suggestion: str | None = None) -> None:
        self._problems.append(problem(path, message, suggestion))

    def stop_if_wrong(self) -> None:
        if self._problems:
            raise InvalidRun(self._problems, self._hint)

    def final_vars(self) -> list[str]:
        requested = self._request.final_vars
        final_vars = requested if requested is not None else effective_final_vars(self._loaded.run_config)
        if not final_vars:
            leaves = ", ".join(self._graph.leaves()) or "none"
            self.refuse("finalVars", f"no final variable is set; nodes that nothing depends on: {leaves}")
        for index, name in enumerate(final_vars):
            if name not in self._graph.nodes:
                self.refuse(f"finalVars.{index}", self._unknown(name), self._nearest(name, self._graph.computed()))
            elif self._graph.nodes[name].user_defined:
                continue  # An input among the results: Hamilton gives back what it was given.
            elif self._graph.runs_in_branches(name):
                # Hamilton would run it once more with the list of all items in place of one.
                message = f"{name!r} runs once for each branch and has no single value; ask for what collects it"
                self.refuse(f"finalVars.{index}", message, self._graph.collector_of(name))
        return list(dict.fromkeys(final_vars))

    def inputs(self) -> dict[str, Any]:
        known = self._graph.inputs()
        taken: dict[str, Any] = {}
        for name, value in self._request.inputs.items():
            if name in self._config:
                self.refuse(f"inputs.{name}", "is set by config, and cannot be given as an input too")
            elif name not in self._graph.nodes:
                self.refuse(f"inputs.{name}", self._unknown(name, "input"), self._nearest(name, known))
            elif name not in known:
                self.refuse(f"inputs.{name}", "is computed by the pipeline, and cannot be given")
            else:
                self._take(taken, name, value, "")
        for name, value in (self._loaded.run_config.inputs or {}).items():
            # FlowerPower ignores what no node takes, so other people's YAML may have it.
            if name not in self._request.inputs and name in known:
                self._take(taken, name, value, " (from YAML or environment)")
        return taken

    def _take(self, taken: dict[str, Any], name: str, value: Any, source: str) -> None:
        annotation = self._graph.nodes[name].type
        try:
            coerced = coerce(value, annotation)
        except CoercionError as error:
            # Strictness is for requests; it must not refuse a project that runs without us: null for an `int`.
            if source and (value is None or _hamilton_takes(annotation, value)):
                taken[name] = value
                return
            message = f"{error}; the type is {type_text(annotation)}{source}"
            self.refuse(f"inputs.{name}{error.path}", message, error.suggestion)
            return
        if not _hamilton_takes(annotation, coerced):
            message = f"Hamilton takes no input of type {type_text(annotation)}{source}"
            self.refuse(f"inputs.{name}", f"{message}; annotate it as {_plainer(annotation)}")
            return
        taken[name] = coerced

    def missing(self, required: list[str], inputs: dict[str, Any]) -> None:
        for name in required:
            if name not in inputs and name not in self._config:
                message = f"missing; the type is {type_text(self._graph.nodes[name].type)}"
                self.refuse(f"inputs.{name}", message + self._elsewhere(name))

    def executor(self) -> dict[str, Any]:
        requested, configured = self._request.executor, self._loaded.run_config.executor
        kind = requested.type if requested is not None and requested.type is not None else None
        if kind is not None and kind not in EXECUTORS:
            self.refuse("executor.type", f"unknown executor {kind!r}", nearest_name(kind, EXECUTORS))
        elif kind is not None:
            self._installed(kind)
        chosen: dict[str, Any] = {"type": kind or getattr(configured, "type", None) or "synchronous"}
        for key, field in (("max_workers", "maxWorkers"), ("num_cpus", "numCpus")):
            value = getattr(requested, key, None)
            if value is not None and value < 1:
                self.refuse(f"executor.{field}", "expected an integer from 1")
            chosen[key] = value if value is not None else getattr(configured, key, None)
        return chosen

    def depth(self, path: str, value: Any) -> None:
        if _depth(value) > _MAX_DEPTH:
            self.refuse(path, f"nested deeper than {_MAX_DEPTH}, which FlowerPower refuses")

    def log_level(self) -> None:
        level = self._request.log_level
        if level is not None and level.upper() not in LOG_LEVELS:
            self.refuse("logLevel", f"unknown level {level!r}", nearest_name(level, LOG_LEVELS))

    def recompute(self) -> None:
        computed = self._graph.computed()
        for index, name in enumerate(self._request.reuse.recompute if self._request.reuse is not None else ()):
            if name not in computed:
                self.refuse(f"recompute.{index}", self._unknown(name), self._nearest(name, computed))

    def _installed(self, kind: str) -> None:
        hint = executor_hint(kind)
        if hint is not None:
            self.refuse("executor.type", f"{kind} is not installed, and FlowerPower would run locally instead", hint)
            self._hint = hint

    def way(self, path: list[str], executor: str) -> bool:
        """How it will run, True for Hamilton's async driver; whether it can is checked."""
        written = self._loaded.run_config.async_driver
        coroutines = self._graph.coroutines(path)
        if written is False:
            for name in coroutines:
                self.refuse("pipeline", f"{name} is async, and async_driver is false")
        is_async = bool(written) if written is not None else bool(coroutines)
        if is_async:
            self._async_way(path)
        else:
            self._way_with_branches(path, executor)
        return is_async

    def _async_way(self, path: list[str]) -> None:
        for name in self._graph.in_branches(path):
            self.refuse("pipeline", f"{name} makes or collects branches, which Hamilton's async driver does not have")
        requested = self._request.executor
        if requested is not None and requested.type not in (None, *LOCAL):
            message = "an async pipeline runs on one event loop, and no executor runs anything of it"
            self.refuse("executor.type", message, "synchronous")
        for adapter in self._adapters():
            if not adapter["async"]:
                self.refuse("pipeline", f"the adapter {adapter['name']} does not work with Hamilton's async driver")

    def _adapters(self) -> list[dict[str, Any]]:
        return describe_adapters(self._loaded.run_config, self._loaded.adapters)

    def _way_with_branches(self, path: list[str], executor: str) -> None:
        endless = self._graph.endless_collects(path)
        for name, expanders in endless:
            reached = " and ".join(expanders) or "no Parallelizable node"
            self.refuse(
                "pipeline", f"{name} collects from {reached}: Hamilton would never end; collect from one of them"
            )
        for expander, collects in [] if endless else self._graph.repeated_collects(path):
            names = " and ".join(dict.fromkeys(collects))
            message = f"the branches of {expander} are collected more than once (in {names}), and Hamilton would fail"
            self.refuse("pipeline", f"{message}; collect once, from a node that has all that is needed")
        if not self._graph.blocks(path):
            return
        if executor in EXECUTORS and not any(found["path"] == "executor.type" for found in self._problems):
            self._installed(executor)
        unpicklable = self._graph.unpicklable() if executor == "processpool" else None
        if unpicklable is not None:
            self.refuse("executor.type", unpicklable, "threadpool")
        for adapter in self._adapters():
            if not adapter["branches"]:
                self.refuse("pipeline", f"the adapter {adapter['name']} does not work with Parallelizable nodes")

    def _unknown(self, name: str, what: str = "node") -> str:
        return f"there is no {what} {name!r}{self._elsewhere(name)}"

    def _elsewhere(self, name: str) -> str:
        """Whether a node of that name exists under another config (`spend__csv` with `@config.when`)."""
        for module in self._graph.modules:
            for function, value in vars(module).items():
                if function.partition("__")[0] == name and inspect.isfunction(value) and name not in self._computed():
                    return "; a node of that name exists under another config"
        return ""

    def _computed(self) -> set[str]:
        return set(self._graph.computed())

    def _nearest(self, name: str, options: Iterable[str]) -> str | None:
        return nearest_name(name, options)


def _hamilton_takes(annotation: Any, value: Any) -> bool:
    """Hamilton checks inputs by rules of its own: `tuple[int, int]` never passes, on a TypedDict its check raises."""
    try:
        return bool(htypes.check_input_type(annotation, value))
    except Exception:
        return False


def _plainer(annotation: Any) -> str:
    """A type near to the annotation that Hamilton takes."""
    origin = typing.get_origin(annotation) or annotation
    if typing.is_typeddict(origin):
        return "dict"
    known = (tuple, dict, list, set) if isinstance(origin, type) else ()
    return next((plain.__name__ for plain in known if issubclass(plain, origin)), "Any")


def _depth(value: Any, limit: int = _MAX_DEPTH + 1) -> int:
    if limit == 0 or not isinstance(value, (dict, list)):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(item, limit - 1) for item in items), default=0)

"""A pipeline's graph under one config, built with Hamilton and never run.

Hamilton never ends on a cycle, so one is looked for before anything is asked of the graph.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import pickle
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hamilton import driver
from hamilton.node import DependencyType, Node, NodeType

from .code_version import NodeCode
from .configuration import publish
from .effects import effect_of
from .pool_nodes import pools_are_forked
from .source import is_project_file, path_in_project
from .text import clean
from .type_text import type_text

# Of one node's function; what is longer is cut.
MAX_SOURCE_BYTES = 64 * 1024
_KINDS = {NodeType.EXPAND: "expand", NodeType.COLLECT: "collect"}


class CyclicGraph(Exception):
    """Nodes that need each other."""

    def __init__(self, cycle: list[str]) -> None:
        super().__init__(f"These nodes need each other, so none can run first: {' → '.join([*cycle, cycle[0]])}")


class PipelineGraph:
    """The nodes of a pipeline under one config."""

    def __init__(
        self,
        modules: list[ModuleType],
        config: dict[str, Any],
        code_of: Callable[[Node], NodeCode | None] = lambda _: None,
    ) -> None:
        builder = driver.Builder().with_modules(*modules).with_config(dict(config))
        built = builder.enable_dynamic_execution(allow_experimental_mode=True).build()
        self._graph = built.graph
        self.modules = modules
        self.config = config
        # Hamilton makes a node of each key of the config. One that is not text (YAML reads `on:` as true) is of no use.
        self.nodes: dict[str, Node] = {
            name: node
            for name, node in built.graph.nodes.items()
            if isinstance(name, str)  # pyright: ignore[reportUnnecessaryIsInstance]
        }
        self.order = _in_order(self.nodes)
        self.position = {name: index for index, name in enumerate(self.order)}
        self._code_of = code_of
        self._codes: dict[str, NodeCode | None] = {}
        self._places: dict[str, _Place] = {}
        # What is told of each run under this config and does not depend on its request: made once.
        self.told: dict[Any, Any] = {}

    def code(self, name: str) -> NodeCode | None:
        """What a node's function is and leads to; None when that cannot be told."""
        if name not in self._codes:
            self._codes[name] = self._code_of(self.nodes[name])
        return self._codes[name]

    def computed(self) -> list[str]:
        """Nodes that a run can compute."""
        return [name for name in self.order if not self.nodes[name].user_defined]

    def inputs(self) -> list[str]:
        """Nodes whose value a request may give."""
        return [name for name in self.order if self.nodes[name].user_defined and name not in self.config]

    def leaves(self) -> list[str]:
        """Computed nodes that nothing depends on."""
        needed = {dependency.name for node in self.nodes.values() for dependency in node.dependencies}
        return [name for name in self.computed() if name not in needed]

    def needed_for(self, final_vars: list[str], inputs: Iterable[str]) -> tuple[list[str], list[str]]:
        """Nodes that will run, in order, and the inputs that they cannot do without."""
        given = dict.fromkeys([*inputs, *self.config])
        nodes, user_nodes = self._graph.get_upstream_nodes(final_vars, given)
        path = sorted((node.name for node in set(nodes) if not node.user_defined), key=self.position.__getitem__)
        running = set(path) | set(final_vars)
        required = [
            node.name
            for node in user_nodes
            if node.name in final_vars or any(self._requires(name, node.name) for name in running)
        ]
        return path, sorted(required, key=self.position.__getitem__)

    def is_required(self, name: str) -> bool:
        """True when some node cannot do without the input."""
        return any(self._requires(user, name) for user in self.nodes)

    def used_by(self, name: str) -> list[str]:
        """The nodes that take an input."""
        return [user for user in self.order if name in self.nodes[user].input_types]

    def _requires(self, user: str, name: str) -> bool:
        entry = self.nodes[user].input_types.get(name)
        return entry is not None and entry[1] == DependencyType.REQUIRED

    def runs_in_branches(self, name: str) -> bool:
        """True between a `Parallelizable` node and its `Collect`: a value for each branch, none of its own."""
        branched: set[str] = set()
        for each in self.order[: self.position[name] + 1]:
            node = self.nodes[each]
            if node.node_role == NodeType.COLLECT:
                continue
            if any(d.name in branched or d.node_role == NodeType.EXPAND for d in node.dependencies):
                branched.add(each)
        return name in branched

    def collector_of(self, name: str) -> str | None:
        """The first node below that brings the branches together."""
        below = {name}
        for each in self.order:
            if any(dependency.name in below for dependency in self.nodes[each].dependencies):
                if self.nodes[each].node_role == NodeType.COLLECT:
                    return each
                below.add(each)
        return None

    def blocks(self, path: Iterable[str]) -> dict[str, list[str]]:
        """The nodes that run in each branch, by the `Parallelizable` node that makes the branches."""
        within = set(path)
        found: dict[str, list[str]] = {}
        for name in within:
            if self.nodes[name].node_role == NodeType.COLLECT:
                expanders, between = self._behind(name)
                for expander in expanders:
                    found[expander] = sorted(between & within, key=self.position.__getitem__)
        return found

    def in_branches(self, path: Iterable[str]) -> list[str]:
        """The nodes that make branches or collect them."""
        return [name for name in path if self.nodes[name].node_role in _KINDS]

    def unpicklable(self) -> str | None:
        """Why a process pool cannot be sent the nodes of the branches; None when it can."""
        if pools_are_forked():
            return None
        within = {name for block in self.blocks(self.computed()).values() for name in block}
        for name in sorted(within, key=self.position.__getitem__):
            try:
                pickle.dumps(self.nodes[name])
            except Exception as error:
                return f"{name} cannot be sent to another process ({error}); nodes made by a decorator often cannot"
        return None

    def endless_collects(self, path: Iterable[str]) -> list[tuple[str, list[str]]]:
        """`Collect` nodes that reach more than one `Parallelizable` node: Hamilton waits for ever on these."""
        found: list[tuple[str, list[str]]] = []
        for name in path:
            if self.nodes[name].node_role == NodeType.COLLECT:
                expanders, _ = self._behind(name)
                if len(expanders) != 1:
                    found.append((name, sorted(expanders)))
        return found

    def repeated_collects(self, path: Iterable[str]) -> list[tuple[str, list[str]]]:
        """`Parallelizable` nodes whose branches are collected more than once: Hamilton runs them, and then fails."""
        found: dict[str, list[str]] = {}
        for name in path:
            if self.nodes[name].node_role == NodeType.COLLECT:
                expanders, between = self._behind(name)
                collected = [d.name for d in self.nodes[name].dependencies if d.name in between | expanders]
                for expander in expanders:
                    found.setdefault(expander, []).extend([name] * len(collected))
        return [(expander, collects) for expander, collects in found.items() if len(collects) > 1]

    def _behind(self, collect: str) -> tuple[set[str], set[str]]:
        """The `Parallelizable` nodes that a `Collect` leads back to, and the nodes on the ways there."""
        expanders: set[str] = set()
        leads: dict[str, bool] = {}
        # In order, so that what a node needs has been looked at before the node itself.
        behind = self._upstream(collect)
        for name in sorted(behind, key=self.position.__getitem__):
            node = self.nodes[name]
            if node.node_role == NodeType.EXPAND:
                expanders.add(name)
                leads[name] = True
            else:
                leads[name] = any(leads.get(dependency.name, False) for dependency in node.dependencies)
        between = {name for name in behind if leads[name] and name not in expanders}
        return expanders, between

    def _upstream(self, collect: str) -> set[str]:
        seen: set[str] = set()
        waiting = [dependency.name for dependency in self.nodes[collect].dependencies]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                if self.nodes[name].node_role != NodeType.EXPAND:
                    waiting.extend(dependency.name for dependency in self.nodes[name].dependencies)
        return seen

    def coroutines(self, path: Iterable[str]) -> list[str]:
        """Nodes that are `async def`, which only Hamilton's async driver awaits."""
        return [name for name in path if name in self._coroutines]

    def has_coroutines(self) -> bool:
        """Whether any node is `async def`."""
        return bool(self._coroutines)

    @functools.cached_property
    def _coroutines(self) -> frozenset[str]:
        return frozenset(name for name, node in self.nodes.items() if not node.user_defined and _is_async(node))

    def default_of(self, name: str) -> tuple[bool, Any]:
        """Whether the code has a default for an input, and which."""
        for user in self.used_by(name):
            function = _function_of(self.nodes[user])
            parameter = inspect.signature(function).parameters.get(name) if function is not None else None
            if parameter is not None and parameter.default is not inspect.Parameter.empty:
                return True, parameter.default
        return False, None

    def doc_of_input(self, name: str) -> str | None:
        """What the docstring of a node that takes the input says about it (`:param x:` or Google's `Args:`)."""
        for user in self.used_by(name):
            doc = inspect.getdoc(_function_of(self.nodes[user])) or ""
            found = re.search(rf"^\s*(?::param {re.escape(name)}:|{re.escape(name)}(?: \([^)]*\))?:)\s*(.+)", doc, re.M)
            if found:
                return clean(found[1].strip())
        return None

    def describe(self, project: str) -> dict[str, Any]:
        """The graph of the protocol."""
        return {"nodes": [self._describe_node(self.nodes[name], project) for name in self.order]}

    def sources(self, project: str) -> dict[str, str]:
        """The text of each function of the project, by its hash."""
        places = [self._place_of(name, project) for name in self.computed()]
        return {place.digest: place.source for place in places if place.digest and place.source is not None}

    def code_hashes(self, names: Iterable[str], project: str) -> dict[str, str]:
        """The hash of each node's function, as `describe` tells it; nodes without one are left out."""
        found = {name: self._place_of(name, project).digest for name in names}
        return {name: digest for name, digest in found.items() if digest is not None}

    def _place_of(self, name: str, project: str) -> _Place:
        """Reading a source takes longer than everything else that is told of a node: once for each graph."""
        if name not in self._places:
            node = self.nodes[name]
            self._places[name] = _place(None if node.user_defined else _function_of(node), project)
        return self._places[name]

    def _describe_node(self, node: Node, project: str) -> dict[str, Any]:
        dependencies = [dependency.name for dependency in node.dependencies]
        optional = [name for name in dependencies if not self._requires(node.name, name)]
        function = None if node.user_defined else _function_of(node)
        place = self._place_of(node.name, project)
        code = None if node.user_defined else self.code(node.name)
        return {
            "name": node.name,
            "kind": self._kind(node),
            "type": type_text(node.type),
            "doc": clean(node.documentation) if node.documentation else None,
            "tags": {key: publish(value) for key, value in node.tags.items()},
            "dependsOn": [name for name in dependencies if name not in optional],
            "optionalDependsOn": optional,
            "async": node.name in self._coroutines,
            "module": getattr(function, "__module__", None),
            "function": getattr(function, "__original_name__", None) or getattr(function, "__name__", None),
            "file": place.file,
            "line": place.line,
            "codeHash": place.digest,
            "codeVersion": None if code is None else code.version,
            "effect": None if node.user_defined else effect_of(node, code),
        }

    def _kind(self, node: Node) -> str:
        if node.user_defined:
            return "config" if node.name in self.config else "input"
        return _KINDS.get(node.node_role, "function")


def _is_async(node: Node) -> bool:
    return inspect.iscoroutinefunction(_function_of(node)) or inspect.iscoroutinefunction(node.callable)


def _function_of(node: Node) -> Any:
    functions = node.originating_functions
    return inspect.unwrap(functions[0]) if functions else None


@dataclass(frozen=True)
class _Place:
    """Where a node's function is written: all None when it has none that can be read."""

    file: str | None = None
    line: int | None = None
    digest: str | None = None
    # Only of the project's own code, and no more of it than is worth keeping.
    source: str | None = None


def _place(function: Any, project: str) -> _Place:
    if function is None:
        return _Place()
    try:
        source = inspect.getsource(function)
        file = inspect.getsourcefile(function)
    except (OSError, TypeError):
        return _Place()
    text = textwrap.dedent(source)
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    if file is None or not is_project_file(file, project):
        return _Place(digest=digest)
    return _Place(path_in_project(file, project), _first_line(function, source), digest, _capped(text))


def _capped(source: str) -> str:
    encoded = source.encode(errors="replace")
    if len(encoded) <= MAX_SOURCE_BYTES:
        return clean(source)
    return clean(encoded[:MAX_SOURCE_BYTES].decode(errors="ignore")) + "\n# … the rest is not kept\n"


def _first_line(function: Any, source: str) -> int:
    """The line of `def`, below the decorators."""
    first = function.__code__.co_firstlineno
    try:
        definition = ast.parse(textwrap.dedent(source)).body[0]
    except (SyntaxError, IndexError):
        return first
    return first + getattr(definition, "lineno", 1) - 1


def _in_order(nodes: dict[str, Node]) -> list[str]:
    """Names so that what a node needs comes before it, or CyclicGraph. Does not recurse: chains may be long."""
    needs = {name: {d.name for d in node.dependencies if d.name in nodes} for name, node in nodes.items()}
    users: dict[str, list[str]] = {name: [] for name in nodes}
    for name, dependencies in needs.items():
        for dependency in dependencies:
            users[dependency].append(name)
    missing = {name: len(dependencies) for name, dependencies in needs.items()}
    order = [name for name in nodes if missing[name] == 0]
    for name in order:
        for user in users[name]:
            missing[user] -= 1
            if missing[user] == 0:
                order.append(user)
    if len(order) < len(nodes):
        raise CyclicGraph(_cycle({name: needs[name] for name in nodes if missing[name] > 0}))
    return order


def _cycle(needs: dict[str, set[str]]) -> list[str]:
    """One of the cycles: every name left needs another that is left, so following them comes round."""
    way: list[str] = []
    name = min(needs)
    while name not in way:
        way.append(name)
        name = min(dependency for dependency in needs[name] if dependency in needs)
    return list(reversed(way[way.index(name) :]))

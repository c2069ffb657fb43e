"""Which code a node is made of: its function and all of the project that the function leads to, as one hash.

Hamilton hashes a node's own source and nothing that it calls. Here names are followed: to helpers, classes and
constants of the module, and into the project's other modules. What cannot be followed (`eval`, a function made at run
time) counts with its whole module, so that a change is rather seen too often than missed.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hamilton.node import Node

from .module_source import ModuleSource, Statement, Target, read_module
from .source import ProjectCode, is_project_file

# A name of a module of the project: file, module, name; None stands for all of the module.
_Place = tuple[str, str, str | None]


@dataclass(frozen=True)
class NodeCode:
    """What is known of a node's code."""

    # The same wherever the same files are read: it is published, and compared without Python.
    version: str
    # Module-level names whose values were computed at import, by module: they may differ though the code does not.
    computed: frozenset[tuple[str, str]]
    # What the code calls, as `name` or `base.name`.
    calls: frozenset[str]


class CodeVersions:
    """The code of a project's nodes. Files are parsed again only when they have changed."""

    def __init__(self, code: ProjectCode) -> None:
        self._code = code
        self._modules: dict[str, tuple[str, ModuleSource | None]] = {}

    def of(self, node: Node, params: dict[str, Any]) -> NodeCode | None:
        """The code of a node; None when its source cannot be had. `params` are those of the YAML, as written."""
        digest = hashlib.sha256(node.name.encode())
        computed: set[tuple[str, str]] = set()
        calls: set[str] = set()
        for function in node.originating_functions or ():
            code = self._of_function(inspect.unwrap(function), params)
            if code is None:
                return None
            digest.update(code.version.encode())
            computed |= code.computed
            calls |= code.calls
        if not node.originating_functions:
            return None
        return NodeCode(digest.hexdigest(), frozenset(computed), frozenset(calls))

    def _of_function(self, function: Any, params: dict[str, Any]) -> NodeCode | None:
        try:
            file = inspect.getsourcefile(function)
            name = function.__code__.co_qualname.partition(".")[0]
        except (TypeError, AttributeError):
            return None
        if file is None:
            return None
        if not self._code.has_imported(file) and not is_project_file(file, self._code.project):
            # An installed library: it changes as a whole.
            content = self._code.sources.sha256(file)
            return None if content is None else NodeCode(f"{content} {name}", frozenset(), frozenset())
        source = self._read(file, function.__module__)
        if source is None:
            return None
        return self._reach((file, function.__module__, name if name in source.names else None), params)

    def _reach(self, start: _Place, params: dict[str, Any]) -> NodeCode | None:
        """Everything that a name leads to."""
        statements: dict[tuple[str, bytes], Statement] = {}
        computed: set[tuple[str, str]] = set()
        seen: set[_Place] = set()
        waiting = [start]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            file, module, name = place
            source = self._read(file, module)
            if source is None:
                return None
            for statement in source.of(name):
                # By the module's name: the same wherever the project lies.
                key = (module, statement.digest)
                if key not in statements:
                    statements[key] = statement
                    computed.update((module, each) for each in statement.computed)
                    waiting.extend(self._led_to(source, statement, file, module))
        digest = hashlib.sha256()
        for module, content in sorted(statements):
            digest.update(module.encode() + b"\0" + content)
        if any(statement.reads_params for statement in statements.values()):
            digest.update(json.dumps(params, sort_keys=True, default=repr).encode())
        calls = {call for statement in statements.values() for call in statement.calls}
        return NodeCode(digest.hexdigest(), frozenset(computed), frozenset(calls))

    def _led_to(self, source: ModuleSource, statement: Statement, file: str, module: str) -> Iterator[_Place]:
        if statement.is_dynamic:
            yield file, module, None
        for name, attribute in statement.reads:
            if name in source.names:
                yield file, module, name
            for bound in source.names.get(name, ()):
                if name in bound.aliases:
                    yield from self._imported(source.package, bound.aliases[name], attribute)
        for target in statement.imports:
            yield from self._imported(source.package, target, None)

    def _imported(self, package: str, target: Target, attribute: str | None) -> Iterator[_Place]:
        """The places in the project that an import stands for; none for what is installed."""
        name = _absolute(target.level, target.module, package)
        if target.member is not None:
            inner = f"{name}.{target.member}" if name else target.member
            found = self._find(inner)
            if found and found[-1][0] == inner:
                name = inner
            else:
                attribute = target.member
        found = self._find(name) if name else []
        for module, file in found:
            if module != name:
                yield file, module, None
                continue
            source = self._read(file, module)
            follows = target.has_attributes and source is not None and attribute in source.names
            yield file, module, attribute if follows else None

    def _find(self, module: str) -> list[tuple[str, str]]:
        """Modules with their files that importing one reads: of the project, or a neighbour that people edit too."""
        found = list(self._code.find(module))
        file = None if found else getattr(sys.modules.get(module), "__file__", None)
        return [(module, file)] if isinstance(file, str) and self._code.has_imported(file) else found

    def _read(self, file: str, module: str) -> ModuleSource | None:
        content = self._code.sources.sha256(file)
        if content is None:
            return None
        known = self._modules.get(file)
        if known is None or known[0] != content:
            known = (content, read_module(file, module))
            self._modules[file] = known
        return known[1]


def _absolute(level: int, module: str, package: str) -> str | None:
    if level == 0:
        return module
    parts = package.split(".") if package else []
    if level - 1 > len(parts):
        return None
    base = parts[: len(parts) - (level - 1)]
    return ".".join([*base, module] if module else base)

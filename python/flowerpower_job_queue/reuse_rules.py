"""What may be reused of a run's nodes, from where, and why not.

A node that loads or saves (by its decorator or tag), that makes branches, or that is asked for runs in both modes.
With `resume` any other takes what the job's earlier attempts and the jobs that it was rerun from have stored. With
`full` it takes what any job has stored; a node without upstream nodes, or one that looks as if it loads or saves, only
what its own job has.
"""

from __future__ import annotations

import hashlib
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hamilton.node import Node, NodeType

from .code_version import NodeCode
from .custom_adapters import CustomAdapter
from .effects import effect_of
from .fingerprint import fingerprint
from .graph import PipelineGraph
from .protocol import Reuse
from .reuse_store import SHARED


@dataclass(frozen=True)
class NodeRule:
    """How reuse treats one node."""

    node: str
    # A CachingBehavior of Hamilton's.
    behavior: str
    # Its code with the values that it found at import and the versions of Python and packages; None: not to be told.
    code: str | None
    # Its code alone, as it is published.
    version: str | None
    # Where its values are looked for, and where they are put.
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    # Why it runs, whatever is stored elsewhere.
    reason: dict[str, Any] | None = None
    may_save: bool = False


def why_no_reuse(adapters: Iterable[CustomAdapter], is_async: bool) -> str | None:
    """Why nothing of a pipeline can be reused, whatever is asked for; None when it can."""
    if is_async:
        return "Hamilton's async driver cannot"
    # Hamilton's cache calls the nodes too, and only one adapter can.
    own = next((adapter.reference for adapter in adapters if adapter.executes_nodes), None)
    return None if own is None else f"the adapter {own} calls the nodes itself"


def rules_of(
    graph: PipelineGraph, path: Iterable[str], reuse: Reuse, job: str, setting: str, imported: Mapping[str, str]
) -> dict[str, NodeRule]:
    """The rule of each node that will run. `setting`: what beside the code decides, such as package versions."""
    constants: dict[tuple[str, str], str] = {}
    rules: dict[str, NodeRule] = {}
    for name in path:
        code = graph.code(name)
        whole = None if code is None else _whole(code, setting, constants, imported)
        rules[name] = _rule(graph.nodes[name], code, whole, reuse, job)
    return rules


def _rule(node: Node, code: NodeCode | None, whole: str | None, reuse: Reuse, job: str) -> NodeRule:
    effect = effect_of(node, code)
    own = (job,)
    version = None if code is None else code.version
    is_full = reuse.mode == "full"
    writes = (SHARED, job) if is_full else own

    def runs(code_: str, text: str, behavior: str = "RECOMPUTE", kept: tuple[str, ...] = ()) -> NodeRule:
        return NodeRule(node.name, behavior, whole, version, (), kept, _because(code_, text))

    if node.node_role == NodeType.EXPAND:
        return runs("not_reusable", "not reusable: it makes the branches")
    if whole is None:
        return runs("not_reusable", "not reusable: its source cannot be read")
    if node.name in reuse.recompute:
        return runs("recompute_asked", "recompute asked", kept=writes)
    written = str(node.tags.get("cache.behavior", "default"))
    if written == "recompute":
        return runs("recompute_asked", "recompute asked: by its @cache", kept=writes)
    if written in ("disable", "ignore"):
        return runs("not_reusable", f"not reusable: @cache says {written}", written.upper())
    if effect in ("loads", "saves"):
        return runs("loads_or_saves", "loads or saves data")
    may_save = effect == "may_save"
    if is_full and effect is not None:
        because = _because("loads_or_saves", "loads or saves data: it looks like it")
        return NodeRule(node.name, "DEFAULT", whole, version, own, own, because, may_save)
    if is_full and all(dependency.user_defined for dependency in node.dependencies):
        because = _because("no_upstream", "has no upstream nodes: what it reads may have changed")
        return NodeRule(node.name, "DEFAULT", whole, version, own, own, because)
    reads = (SHARED, *own, *reuse.scopes) if is_full else (*own, *reuse.scopes)
    return NodeRule(node.name, "DEFAULT", whole, version, reads, writes, None, may_save)


def _because(code: str, text: str) -> dict[str, Any]:
    return {"code": code, "text": text, "job": None, "attempt": None}


def _whole(code: NodeCode, setting: str, constants: dict[tuple[str, str], str], imported: Mapping[str, str]) -> str:
    digest = hashlib.sha256(f"{setting}\0{code.version}".encode())
    for place in sorted(code.computed):
        if place not in constants:
            constants[place] = _constant(*place, imported)
        digest.update(f"\0{'.'.join(place)}={constants[place]}".encode())
    return digest.hexdigest()


def _constant(module: str, name: str, imported: Mapping[str, str]) -> str:
    """The version of a value that a module has computed when it was imported: from YAML, the environment, a file."""
    value = getattr(sys.modules.get(module), name, None)
    if isinstance(value, (types.ModuleType, types.FunctionType, type)):
        return ""
    return fingerprint(value, imported) or ""

"""Reuse of what nodes have computed before: Hamilton's caching adapter over our store, with our rules.

Nothing here may fail a run. What cannot be compared, stored or read makes its node run, and is told.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hamilton.caching.adapter import CachingBehavior, HamiltonCacheAdapter

from . import fingerprint
from .reuse_hamilton import Values, Versions
from .reuse_rules import NodeRule
from .reuse_shelf import Observer, Outcome, Shelf, reason_of, text_of
from .reuse_store import ReuseStore


class ReuseAdapter(HamiltonCacheAdapter):
    """Hamilton's cache with versions, behaviours and a store of ours. Passed beside the user's adapters."""

    def __init__(
        self, store: ReuseStore, rules: dict[str, NodeRule], job: str, attempt: int, imported: dict[str, str]
    ) -> None:
        self._shelf = Shelf(store, job, attempt)
        super().__init__(metadata_store=Versions(self._shelf), result_store=Values(self._shelf))
        self._rules = rules
        # Hashes of the project's files, for values of classes that are defined there.
        self._imported = imported
        self._given_up: set[str] = set()

    def observe(self, observer: Observer) -> None:
        """Who is told what happens; before the run."""
        self._shelf.observer = observer

    # Into a pool's process go the rules and the store's place: not the graph, the log of events or locks.
    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state["_fn_graphs"] = {run: _light(graph) for run, graph in self._fn_graphs.items()}
        state["_logs"] = {run: [] for run in self._logs}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        fingerprint.install(self._imported)

    def outcome(self) -> Outcome | None:
        """Of the node that has just ended in this thread."""
        return None if self._shelf.call is None else self._shelf.call.outcome

    def version_code(self, node_name: str, run_id: str | None = None) -> str:
        """The code of the node and of all of the project that it leads to."""
        rule = self._rules.get(node_name)
        return "unknown" if rule is None or rule.code is None else rule.code

    def resolve_behaviors(self, run_id: str) -> dict[str, CachingBehavior]:
        """What is done with each node: the rules' business."""
        behaviors = dict.fromkeys(self._fn_graphs[run_id].nodes, CachingBehavior.DEFAULT)
        return {**behaviors, **{name: CachingBehavior[rule.behavior] for name, rule in self._rules.items()}}

    def pre_graph_execute(self, *, run_id: str, **graph: Any) -> None:
        """When the run begins."""
        try:
            super().pre_graph_execute(run_id=run_id, **graph)
        except Exception as error:
            self._given_up.add(run_id)
            self._shelf.warn(f"Nothing is reused in this run, nor stored: {text_of(error)}")

    def pre_node_execute(self, *, run_id: str, node_: Any, task_id: str | None = None, **rest: Any) -> None:
        """Before a node: its key is made of its code and of what it is called with."""
        rule = self._rules.get(node_.name)
        if rule is None or run_id in self._given_up:
            self._shelf.leave()
            return
        outcome = self._shelf.enter(rule, task_id).outcome
        try:
            super().pre_node_execute(run_id=run_id, node_=node_, task_id=task_id, **rest)
        except Exception as error:
            outcome.reason = reason_of("not_reusable", f"not reusable: {text_of(error)}")
            self._skip(node_.name, error)

    def do_node_execute(self, *, node_: Any, kwargs: dict[str, Any], task_id: str | None = None, **rest: Any) -> Any:
        """In place of a node: its stored value, else its function."""
        call = self._shelf.call
        watched: Any = _Watched(node_, task_id, self._shelf)
        if call is None or call.outcome.reason is not None:
            return watched.callable(**kwargs)
        if not call.rule.reads:
            call.outcome.reason = call.rule.reason
        try:
            return super().do_node_execute(node_=watched, kwargs=kwargs, task_id=task_id, **rest)
        except Exception as error:
            if call.raised:
                raise
            self._skip(node_.name, error)
            return call.result if call.returned else watched.callable(**kwargs)

    def post_node_execute(self, *, node_: Any, success: bool = True, **rest: Any) -> None:
        """After a node: its value is stored."""
        call = self._shelf.call
        if call is None or not success:
            return
        if not call.outcome.executed:
            self._shelf.reused()
        elif call.pending is not None:
            try:
                super().post_node_execute(node_=node_, success=success, **rest)
            except Exception as error:
                self._skip(node_.name, error)

    def _skip(self, node: str, error: Exception) -> None:
        self._shelf.warn(f"{node} is not reusable: {text_of(error)}", node)


class _Watched:
    """A node whose function tells when it is called: not called means reused."""

    def __init__(self, node: Any, task_id: str | None, shelf: Shelf) -> None:
        self.name: str = node.name
        self.default_parameter_values: dict[str, Any] = node.default_parameter_values
        self._function: Callable[..., Any] = node.callable
        self._task_id = task_id
        self._shelf = shelf

    def callable(self, **kwargs: Any) -> Any:
        """The node's function."""
        return self._shelf.execute(self.name, self._task_id, self._function, kwargs)


def _light(graph: Any) -> Any:
    """Of the graph what Hamilton's adapter asks for during a run."""

    def light(node: Any) -> Any:
        return SimpleNamespace(name=node.name, node_role=node.node_role, tags=node.tags)

    return SimpleNamespace(nodes={name: light(node) for name, node in graph.nodes.items()})

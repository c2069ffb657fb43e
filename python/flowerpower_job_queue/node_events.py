"""Tells what each node does, through Hamilton's public lifecycle hooks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from hamilton.lifecycle.api import NodeExecutionHook, TaskGroupingHook

from .capture import capture_in_pool, enter_node, leave_node
from .configuration import is_secret_name
from .errors import describe_error
from .measures import Measure, Measures, Used
from .relay import sender_to
from .reuse import ReuseAdapter
from .reuse_shelf import Outcome
from .run_events import EventSink
from .summary import summarize

# A node in a thread: branches run several at once.
_Key: TypeAlias = tuple[str, str | None, int]


class Cancelled(BaseException):
    """Raised between two nodes. Not an Exception: neither Hamilton nor FlowerPower may retry or swallow it."""


class NodeEvents(NodeExecutionHook, TaskGroupingHook):
    """Sends an event when a node starts, ends or is expanded. Stands beside the user's own adapters.

    Hooks run in whatever thread or process runs the node. Pickling it (a process pool does) replaces the sink by a
    sender: see `relay.py`.
    """

    def __init__(
        self,
        sink: EventSink,
        project: str,
        blocks: dict[str, list[str]],
        hidden: frozenset[str],
        relay_folder: Callable[[], str],
        reuse: ReuseAdapter | None = None,
        statistics: bool = False,
        measures: Measures | None = None,
    ) -> None:
        self._sink = sink
        self._project = project
        # Inputs whose value came from the environment: their preview would show it.
        self._hidden = hidden
        # The nodes that run in each branch, by the name of the `Parallelizable` node.
        self._blocks = blocks
        self._relay_folder = relay_folder
        # With it a node begins when its function is called, which may be never.
        self._reuse = reuse
        self._statistics = statistics
        self._measures = measures or Measures()
        self._started: dict[_Key, Measure] = {}
        self._finished: dict[_Key, Used] = {}
        self._in_pool = False
        if reuse is not None:
            reuse.observe(self)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "folder": self._relay_folder(),
            "project": self._project,
            "hidden": self._hidden,
            "reuse": self._reuse,
            "statistics": self._statistics,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        capture_in_pool()
        self._sink = sender_to(state["folder"])
        self._project = state["project"]
        self._hidden = state["hidden"]
        self._blocks = {}
        self._relay_folder = lambda: state["folder"]
        self._reuse = state["reuse"]
        self._statistics = state["statistics"]
        self._measures = Measures()
        self._started, self._finished = {}, {}
        self._in_pool = True

    def run_before_node_execution(self, *, node_name: str, task_id: str | None, **_: Any) -> None:
        """Before a node; the only place where a run can be stopped softly."""
        reason = self._sink.cancel_reason()
        if reason is not None:
            raise Cancelled(reason)
        if self._reuse is None:
            self.begin(node_name, task_id, None)

    def begin(self, node: str, task_id: str | None, reason: dict[str, Any] | None) -> None:
        """The node's function is called next. `reason`: why it was not reused."""
        branch = branch_of(task_id)
        key = (node, task_id, threading.get_ident())
        # Noted before it is told: an interrupt in between must find that the node has begun.
        measure = self._started[key] = self._measures.begin()
        self._sink.emit("node.started", {} if reason is None else {"reason": reason}, node, branch)
        enter_node(node, branch, self._sink if self._in_pool else None)
        measure.restart()

    def finish(self, node: str, task_id: str | None) -> None:
        """The node's function has returned or raised; what follows, such as storing its value, is not its time."""
        key = (node, task_id, threading.get_ident())
        measure = self._started.get(key)
        if measure is not None:
            self._finished[key] = self._measures.end(measure)

    def warn(self, text: str, node: str | None) -> None:
        """A line of ours in the run's log."""
        self._sink.log("WARNING", "logging", "flowerpower_job_queue", text, node, None)

    def run_after_node_execution(
        self,
        *,
        node_name: str,
        node_kwargs: dict[str, Any],
        result: Any,
        error: Exception | None,
        task_id: str | None,
        **_: Any,
    ) -> None:
        """After a node, however it ended."""
        key = (node_name, task_id, threading.get_ident())
        measure = self._started.pop(key, None)
        outcome = None if self._reuse is None else self._reuse.outcome()
        if measure is None:
            if outcome is not None and outcome.source is not None:
                data = {"reason": outcome.reason, "summary": self._summarize(node_name, result), **_of_store(outcome)}
                self._sink.emit("node.reused", data, node_name, branch_of(task_id))
            # Hamilton calls this for a node that we have stopped before it began, too, as a success.
            return
        used = self._finished.pop(key, None) or self._measures.end(measure)
        leave_node()
        # For a BaseException (SystemExit, KeyboardInterrupt) Hamilton says success; it is still in flight here.
        failure = error if error is not None else sys.exc_info()[1]
        branch = branch_of(task_id)
        if failure is None:
            data = {
                "durationMs": used.duration_ms,
                "cpuMs": used.cpu_ms,
                "memoryGrowthBytes": used.memory_growth_bytes,
                "summary": self._summarize(node_name, result, self._statistics),
                **({} if outcome is None else _of_store(outcome)),
            }
            self._sink.emit("node.succeeded", data, node_name, branch)
        else:
            inputs = {name: self._summarize(name, value) for name, value in list(node_kwargs.items())[:100]}
            self._tell_failed(node_name, branch, failure, used, inputs)

    def _tell_failed(
        self, node: str, branch: str | None, failure: BaseException, used: Used, inputs: dict[str, Any]
    ) -> None:
        # In a pool's process a SIGINT may have been Python's own business.
        is_stop = isinstance(failure, KeyboardInterrupt) and self._sink.cancel_reason() is not None
        kind = "CANCELLED" if is_stop else None
        data = {
            "durationMs": used.duration_ms,
            "memoryGrowthBytes": used.memory_growth_bytes,
            "error": describe_error(failure, self._project, kind=kind, node=node, branch=branch),
            "inputs": inputs,
        }
        self._sink.emit("node.failed", data, node, branch)

    def fail_open(self, failure: BaseException) -> None:
        """Tells of nodes that have begun and whose end nobody has told: another adapter has raised behind them.

        After the run, when none of its nodes runs any more.
        """
        for (node, task_id, _), measure in list(self._started.items()):
            self._tell_failed(node, branch_of(task_id), failure, self._measures.end(measure), {})
        self._started.clear()
        leave_node()

    def stopped(self, node_name: str) -> None:
        """A node that has begun is stopped with its run: how it would have ended is not known, so nothing is told."""
        measure = self._started.pop((node_name, None, threading.get_ident()), None)
        if measure is not None:
            self._measures.end(measure)
            leave_node()

    def _summarize(self, name: str, value: Any, statistics: bool = False) -> dict[str, Any]:
        if name in self._hidden or is_secret_name(name):
            return {**summarize(value), "preview": None}
        return summarize(value, statistics)

    def run_after_task_grouping(self, **_: Any) -> None:
        """Of no interest: the execution path is known from the plan."""

    def run_after_task_expansion(self, *, task_id: str, parameters: dict[str, Any], **_: Any) -> None:
        """When a `Parallelizable` node has said how many branches there are."""
        node = task_id.removeprefix("expand-")
        self._sink.emit("node.expanded", {"count": len(parameters), "nodes": self._blocks.get(node, [])}, node, None)


def _of_store(outcome: Outcome) -> dict[str, Any]:
    return {"stored": outcome.stored, "codeVersion": outcome.code_version}


def branch_of(task_id: str | None) -> str | None:
    """The task id inside a branch (`expand-city.3.block-city`), None elsewhere."""
    if task_id is not None and task_id.startswith("expand-") and ".block-" in task_id:
        return task_id
    return None

"""MLflow, as FlowerPower's `with_adapter.mlflow` means it.

Called where the nodes run, unlike other reporters: what the pipeline's own code logs to MLflow belongs to the run that
is active in that thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hamilton.lifecycle import GraphConstructionHook, GraphExecutionHook, NodeExecutionHook


class MLflowReporter(NodeExecutionHook, GraphExecutionHook, GraphConstructionHook):
    """Calls Hamilton's MLflow adapter until one call fails."""

    def __init__(self, adapter: Any, tell: Callable[[str], None]) -> None:
        self._adapter = adapter
        self._tell: Callable[[str], None] | None = tell
        self._is_on = True

    def _call(self, hook: str, arguments: dict[str, Any]) -> None:
        if not self._is_on:
            return
        try:
            getattr(self._adapter, hook)(**arguments)
        except Exception as error:
            self._is_on = False
            if self._tell is not None:
                self._tell(f"mlflow is off for this run: {type(error).__name__}: {error}")
            self._end_run()

    def _end_run(self) -> None:
        """Else the next run of this process would report to the run of this one."""
        import mlflow

        try:
            mlflow.end_run()
        except Exception:
            # The server is away; what is active here has ended all the same.
            return

    def run_after_graph_construction(self, **arguments: Any) -> None:
        """The graph is built."""
        self._call("run_after_graph_construction", arguments)

    def run_before_graph_execution(self, **arguments: Any) -> None:
        """The run begins."""
        self._call("run_before_graph_execution", arguments)

    def run_before_node_execution(self, **_: Any) -> None:
        """Of no interest to it."""

    def run_after_node_execution(self, **arguments: Any) -> None:
        """A node has ended."""
        self._call("run_after_node_execution", arguments)

    def run_after_graph_execution(self, **arguments: Any) -> None:
        """The run has ended."""
        self._call("run_after_graph_execution", arguments)

    def __getstate__(self) -> dict[str, Any]:
        return {"_adapter": None, "_tell": None, "_is_on": False}


def make_reporter(settings: dict[str, Any], tell: Callable[[str], None]) -> MLflowReporter | None:
    """None, and a line in the log, when MLflow does not take the settings or does not answer."""
    try:
        from hamilton.plugins.h_mlflow import MLFlowTracker

        return MLflowReporter(MLFlowTracker(**settings), tell)
    except Exception as error:
        tell(f"mlflow is off for this run: {type(error).__name__}: {error}")
        return None

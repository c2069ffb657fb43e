"""An adapter of the project's own, declared in a YAML as `job_queue.adapters`."""

import time
from typing import Any

from hamilton.lifecycle import GraphExecutionHook


class Stopwatch(GraphExecutionHook):
    """Says how long a run took. Its hooks are of the graph: async pipelines can use it too."""

    def run_before_graph_execution(self, **_: Any) -> None:
        """Starts."""
        self._began = time.monotonic()

    def run_after_graph_execution(self, *, success: bool, **_: Any) -> None:
        """Stops."""
        ended = "done" if success else "failed"
        print(f"stopwatch: {ended} in {time.monotonic() - self._began:.1f} s")

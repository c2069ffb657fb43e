"""FlowerPower's `with_adapter.progressbar`: Hamilton's bar, which in the log is one line, as it looked last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hamilton.lifecycle import GraphExecutionHook
from hamilton.lifecycle.base import BasePostNodeExecuteAsync, BasePreNodeExecuteAsync
from hamilton.plugins import h_tqdm


class ProgressBar(h_tqdm.ProgressBar):
    """Draws into the log. A pool's processes have no bar."""

    def __init__(self, desc: str, tell: Callable[[str], None]) -> None:
        super().__init__(desc=desc, file=_Drawing(tell), ascii=False, dynamic_ncols=False, ncols=80)

    def run_before_node_execution(self, **arguments: Any) -> None:
        """A node begins."""
        if self.progress_bar is not None:
            super().run_before_node_execution(**arguments)

    def run_after_node_execution(self, **arguments: Any) -> None:
        """A node has ended."""
        if self.progress_bar is not None:
            super().run_after_node_execution(**arguments)

    def run_after_graph_execution(self, *, success: bool, **arguments: Any) -> None:
        """The run has ended: the bar is complete, or stays where it was."""
        if success:
            super().run_after_graph_execution(**arguments)
        elif self.progress_bar is not None:
            self.progress_bar.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "progress_bar": None, "kwargs": {}}


class AsyncProgressBar(GraphExecutionHook, BasePreNodeExecuteAsync, BasePostNodeExecuteAsync):
    """The same bar for Hamilton's async driver."""

    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar

    def run_before_graph_execution(self, **arguments: Any) -> None:
        """The run begins. The async driver does not say what will run."""
        self._bar.run_before_graph_execution(**arguments)

    async def pre_node_execute(self, *, node_: Any, **_: Any) -> None:
        """A node begins."""
        self._bar.run_before_node_execution(
            node_name=node_.name, node_tags={}, node_kwargs={}, node_return_type=node_.type, task_id=None
        )

    async def post_node_execute(self, **_: Any) -> None:
        """A node has ended."""
        self._bar.run_after_node_execution()

    def run_after_graph_execution(self, *, success: bool, **_: Any) -> None:
        """The run has ended."""
        self._bar.run_after_graph_execution(success=success)


class _Drawing:
    """A file that keeps what was drawn last, until the line ends."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._line = ""

    def write(self, text: str) -> int:
        *ended, rest = text.split("\n")
        for line in ended:
            self._draw(line)
            if self._line.strip():
                self._tell(self._line.rstrip())
            self._line = ""
        self._draw(rest)
        return len(text)

    def _draw(self, text: str) -> None:
        drawings = [drawing for drawing in text.split("\r") if drawing.strip()]
        if drawings:
            self._line = drawings[-1] if "\r" in text else self._line + text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

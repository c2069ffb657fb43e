"""Adapters that report a run to a server of somebody's: what they do never fails a run, and never holds it up for long.

All of an adapter's calls are made on one thread of its own, each within a time limit. After the first that fails or
takes too long nothing more is reported, and one line of the log says so.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from hamilton.lifecycle import base

CALL_TIMEOUT_S = 5.0
# Node by node this time may pass in all, before reporting ends: a slow server must not make a slow pipeline.
TOTAL_TIMEOUT_S = 30.0

Tell = Callable[[str], None]
_Call = tuple[Callable[[], Any], "Future[Any]"]


class Line:
    """The thread on which one adapter is called, and whether it still is."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name = name
        self._tell = tell
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        # A daemon: a server that never answers must not keep the process.
        self._thread = threading.Thread(target=self._work, name=f"telemetry-{name}", daemon=True)
        self._thread.start()
        self._spent = 0.0
        self.is_on = True

    def call(self, function: Callable[[], Any]) -> Any:
        """The function's result, or None when reporting is off."""
        if not self.is_on:
            return None
        began = time.monotonic()
        try:
            return self._submit(function).result(CALL_TIMEOUT_S)
        except (Exception, FutureTimeout) as error:
            self._give_up(error)
        finally:
            self._count(began)
        return None

    async def call_async(self, function: Callable[[], Any]) -> None:
        """The same while other nodes run."""
        if not self.is_on:
            return
        began = time.monotonic()
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._submit(function)), CALL_TIMEOUT_S)
        except Exception as error:
            self._give_up(error)
        finally:
            self._count(began)

    def close(self) -> str | None:
        """Ends the thread. Its name when it does not end: it waits for a server."""
        self._calls.put(None)
        self._thread.join(CALL_TIMEOUT_S if self.is_on else 0.1)
        return self._thread.name if self._thread.is_alive() else None

    def turn_off(self, why: str) -> None:
        """Reports nothing more, and says so."""
        if self.is_on:
            self.is_on = False
            self._tell(f"{self._name} is off for this run: {why}")

    def _submit(self, function: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._calls.put((function, future))
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            function, future = call
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
            del function, future, call

    def _give_up(self, error: BaseException) -> None:
        late = isinstance(error, (FutureTimeout, TimeoutError)) and not str(error)
        self.turn_off(f"no answer in {CALL_TIMEOUT_S:.0f} s" if late else f"{type(error).__name__}: {error}")

    def _count(self, began: float) -> None:
        self._spent += time.monotonic() - began
        if self._spent > TOTAL_TIMEOUT_S:
            self.turn_off(f"reporting has taken more than {TOTAL_TIMEOUT_S:.0f} s")


class Reporter(
    base.BasePostGraphConstruct,
    base.BasePreGraphExecute,
    base.BasePreNodeExecute,
    base.BasePostNodeExecute,
    base.BasePostGraphExecute,
):
    """Stands in for an adapter, and calls it on its line. A pool's processes report nothing."""

    def __init__(self, adapter: Any, line: Line) -> None:
        self._adapter = adapter
        self._line: Line | None = line

    def _call(self, hook: str, arguments: dict[str, Any]) -> None:
        if self._line is not None:
            self._line.call(lambda: getattr(self._adapter, hook)(**arguments))

    def post_graph_construct(self, **arguments: Any) -> None:
        """The graph is built."""
        self._call("post_graph_construct", arguments)

    def pre_graph_execute(self, **arguments: Any) -> None:
        """The run begins."""
        self._call("pre_graph_execute", arguments)

    def pre_node_execute(self, **arguments: Any) -> None:
        """A node begins."""
        self._call("pre_node_execute", arguments)

    def post_node_execute(self, **arguments: Any) -> None:
        """A node has ended."""
        self._call("post_node_execute", arguments)

    def post_graph_execute(self, **arguments: Any) -> None:
        """The run has ended."""
        self._call("post_graph_execute", arguments)

    def __getstate__(self) -> dict[str, Any]:
        return {"_adapter": None, "_line": None}


class AsyncReporter(
    base.BasePostGraphConstruct,
    base.BasePreGraphExecuteAsync,
    base.BasePreNodeExecuteAsync,
    base.BasePostNodeExecuteAsync,
    base.BasePostGraphExecuteAsync,
):
    """The same for Hamilton's async driver: other nodes run on while one is reported."""

    def __init__(self, adapter: Any, line: Line) -> None:
        self._adapter = adapter
        self._line = line

    async def _call(self, hook: str, arguments: dict[str, Any]) -> None:
        await self._line.call_async(lambda: getattr(self._adapter, hook)(**arguments))

    def post_graph_construct(self, **arguments: Any) -> None:
        """The graph is built."""
        self._line.call(lambda: self._adapter.post_graph_construct(**arguments))

    async def pre_graph_execute(self, **arguments: Any) -> None:
        """The run begins."""
        await self._call("pre_graph_execute", arguments)

    async def pre_node_execute(self, **arguments: Any) -> None:
        """A node begins."""
        await self._call("pre_node_execute", arguments)

    async def post_node_execute(self, **arguments: Any) -> None:
        """A node has ended."""
        await self._call("post_node_execute", arguments)

    async def post_graph_execute(self, **arguments: Any) -> None:
        """The run has ended."""
        await self._call("post_graph_execute", arguments)

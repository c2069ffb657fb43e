"""Runs a pipeline whose nodes are `async def`, through Hamilton's async driver.

FlowerPower's own `run_async` asks that driver for dynamic execution, which it refuses, so it always fails. Everything
else is as FlowerPower has it: modules, config, inputs, final variables, adapters, log level, callbacks.

The event loop is a run's own. When the run is over, nodes that still run are stopped, and tasks that the pipeline has
left behind are cancelled and named in the log.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import CoroutineType, ModuleType
from typing import Any

from flowerpower.pipeline.retry import RetryManager
from flowerpower.utils.logging import setup_logging
from hamilton import async_driver
from hamilton.lifecycle.base import BasePostNodeExecuteAsync, BasePreNodeExecuteAsync

from .capture import complete_lines
from .node_events import Cancelled, NodeEvents
from .plan import Plan
from .run_events import RunEvents

# A task that has been cancelled may clean up for so long.
CANCEL_TIMEOUT_S = 5.0
_THREADS = "flowerpower-job-queue-async"
_MAX_NAMED = 10


class AsyncNodeEvents(BasePreNodeExecuteAsync, BasePostNodeExecuteAsync):
    """Tells what each node does, as `NodeEvents` does for FlowerPower's own runs.

    The two hooks are no coroutine functions, on purpose. Hamilton calls them in the node's own task and gathers what
    they return, each in a task more: done at once, an event is exact, the node is known to its log lines, and an
    exception in flight can be seen.
    """

    def __init__(self, events: NodeEvents) -> None:
        self._events = events
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        # Set when the run is over: who is cancelled from here on has not failed.
        self.is_over = False

    def pre_node_execute(self, *, node_: Any, task_id: str | None = None, **_: Any) -> CoroutineType[Any, Any, None]:
        """A node begins: what it needs is there."""
        self._events.run_before_node_execution(node_name=node_.name, task_id=task_id)
        task = asyncio.current_task()
        if task is not None:
            self._tasks[node_.name] = task
        return _done()

    def post_node_execute(
        self,
        *,
        node_: Any,
        kwargs: dict[str, Any],
        error: Exception | None,
        result: Any,
        task_id: str | None = None,
        **_: Any,
    ) -> CoroutineType[Any, Any, None]:
        """A node has ended, however."""
        self._tasks.pop(node_.name, None)
        in_flight = sys.exc_info()[1]
        if self.is_over and isinstance(in_flight, asyncio.CancelledError):
            self._events.stopped(node_.name)
            return _done()
        unawaited = error is None and in_flight is None and inspect.iscoroutine(result)
        if unawaited:
            result.close()
            error = TypeError(
                f"{node_.name} has a coroutine for its value, which nobody awaits: "
                "one of its decorators does not work with async def"
            )
        self._events.run_after_node_execution(
            node_name=node_.name,
            node_kwargs=kwargs,
            result=None if unawaited else result,
            error=error,
            task_id=task_id,
        )
        if unawaited and error is not None:
            raise error
        return _done()

    def running(self) -> dict[str, asyncio.Task[Any]]:
        """The nodes that run now."""
        return dict(self._tasks)


async def _done() -> None:
    """What Hamilton awaits."""


class AsyncRun:
    """One run on an event loop of its own."""

    def __init__(self, events: RunEvents, hooks: AsyncNodeEvents) -> None:
        self._events = events
        self._hooks = hooks
        # What does not end although it was cancelled: this process is no good for another run.
        self.stubborn: list[str] = []

    def execute(
        self,
        name: str,
        modules: list[ModuleType],
        plan: Plan,
        adapters: list[Any],
        run_config: Any,
        log_level: str | None,
    ) -> Any:
        """The values of the final variables. Raises what a node has raised."""
        if log_level is not None:
            setup_logging(level=log_level)

        async def run() -> Any:
            # Ours first: one of the others may wait for a server.
            builder: Any = async_driver.Builder().with_modules(*modules).with_config(dict(plan.config))
            driver = await builder.with_adapters(self._hooks, *adapters).build()
            _await_what_decorators_call(driver.graph)
            try:
                return await driver.execute(plan.final_vars, inputs=dict(plan.inputs))
            except Cancelled:
                await self._wait_for_nodes()
                raise

        # Once: further tries are the queue's. FlowerPower's class has its log lines and calls its callbacks.
        once = RetryManager(max_retries=0, retry_delay=0, jitter_factor=0, retry_exceptions=(Exception,))
        operation = once.execute_async(
            operation=run,
            on_success=run_config.on_success,
            on_failure=run_config.on_failure,
            context_name=name,
        )
        loop = asyncio.new_event_loop()
        threads = ThreadPoolExecutor(thread_name_prefix=_THREADS)
        loop.set_default_executor(threads)
        loop.set_exception_handler(_on_exception)
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(operation)
        finally:
            self._leave(loop, threads)

    async def _wait_for_nodes(self) -> None:
        """A soft cancel lets what runs come to its end, as it does everywhere."""
        while running := self._hooks.running():
            await asyncio.wait(running.values())

    def _leave(self, loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor) -> None:
        self._hooks.is_over = True
        with suppress(Exception):
            pending = asyncio.all_tasks(loop)
            self._tell_left([task for task in pending if not _is_hamiltons(task)])
            for task in pending:
                task.cancel()
            if pending:
                _, unended = loop.run_until_complete(asyncio.wait(pending, timeout=CANCEL_TIMEOUT_S))
                self.stubborn += [_name_of(task) for task in unended]
            generators = asyncio.wait_for(loop.shutdown_asyncgens(), CANCEL_TIMEOUT_S)
            loop.run_until_complete(generators)
        threads.shutdown(wait=False, cancel_futures=True)
        for thread in threading.enumerate():
            # Idle ones end at once. Who is still busy is found among the threads that the run has left.
            if thread.name.startswith(_THREADS):
                thread.join(0.2)
        if self.stubborn:
            self._warn(f"These tasks did not end when they were cancelled: {', '.join(self.stubborn[:_MAX_NAMED])}.")
        asyncio.set_event_loop(None)
        with suppress(RuntimeError):
            loop.close()

    def _tell_left(self, tasks: list[asyncio.Task[Any]]) -> None:
        if not tasks:
            return
        names = sorted(_name_of(task) for task in tasks)
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        what = "A task was" if len(names) == 1 else f"{len(names)} tasks were"
        verb = "is" if len(names) == 1 else "are"
        self._warn(f"{what} left running and {verb} cancelled: {', '.join(names[:_MAX_NAMED])}{more}.")

    def _warn(self, text: str) -> None:
        complete_lines()
        self._events.log("WARNING", "logging", "flowerpower_job_queue", text, None, None)


def _await_what_decorators_call(graph: Any) -> None:
    """`@parameterize` and others give the coroutine of an `async def`, which Hamilton's driver does not await."""
    for node in graph.nodes.values():
        if node.user_defined or inspect.iscoroutinefunction(node.callable):
            continue
        # Not behind a decorator of the project's own: that is the project's to mend.
        if any(inspect.iscoroutinefunction(function) for function in node.originating_functions or ()):
            node._callable = _awaiting(node.callable)


def _awaiting(function: Callable[..., Any]) -> Callable[..., CoroutineType[Any, Any, Any]]:
    async def awaiting(**kwargs: Any) -> Any:
        value = function(**kwargs)
        return await value if inspect.iscoroutine(value) else value

    return awaiting


def _is_hamiltons(task: asyncio.Task[Any]) -> bool:
    """Of the driver, for a node or a final variable: what became of these is told by the nodes' events."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame is None or frame.f_globals.get("__name__", "").startswith(("hamilton.", "flowerpower."))


def _name_of(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    name = getattr(coroutine, "__qualname__", None) or task.get_name()
    return name.replace(".<locals>", "")


def _on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A node's failure is an event already; asyncio would tell it again where nobody awaits the node."""
    task = context.get("future") or context.get("task")
    code = getattr(getattr(task, "get_coro", lambda: None)(), "cr_code", None)
    if code is None or "hamilton" not in code.co_filename:
        loop.default_exception_handler(context)

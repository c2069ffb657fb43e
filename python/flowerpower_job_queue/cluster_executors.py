"""Branches on Dask or Ray: in processes of this machine, which begin with a run's first branch and end with the run.

FlowerPower makes Hamilton's Dask executor without the client that it wants, and starts Ray where its processes find
neither the project nor this package. Both are started here instead, and only when there is a branch to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from hamilton.execution.executors import TaskExecutor


class ClusterExecutor(TaskExecutor):
    """Starts what it needs with the first branch."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._executor: Any = None

    def start(self) -> Any:
        """Hamilton's executor, ready to take branches."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends what `start` began."""
        raise NotImplementedError

    def init(self) -> None:
        """Nothing yet: a run without branches needs no processes, and neither Dask nor Ray."""

    def finalize(self) -> None:
        """Ends the processes."""
        if self._executor is not None:
            self._executor = None
            self.stop()

    def submit_task(self, task: Any) -> Any:
        """Hands a branch over."""
        if self._executor is None:
            self._executor = self.start()
        return self._executor.submit_task(task)

    def can_submit_task(self) -> bool:
        """Always: what is too much waits there."""
        return True


class LocalDask(ClusterExecutor):
    """Dask's processes, one thread each."""

    _client: Any = None

    def start(self) -> Any:
        """Starts a local cluster."""
        from distributed import Client
        from hamilton.plugins.h_dask import DaskExecutor

        self._client = Client(n_workers=self._processes, threads_per_worker=1, dashboard_address=None)
        return DaskExecutor(client=self._client)

    def stop(self) -> None:
        """Ends it."""
        self._client.shutdown()


class LocalRay(ClusterExecutor):
    """Ray's processes; or those of a cluster that RAY_ADDRESS names, which tell nothing of their nodes."""

    def start(self) -> Any:
        """Starts Ray, unless the pipeline has done so."""
        import ray
        from hamilton.plugins.h_ray import RayTaskExecutor

        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            with _path_for_children():
                ray.init(num_cpus=self._processes, include_dashboard=False, configure_logging=False)
        return RayTaskExecutor(skip_init=True)

    def stop(self) -> None:
        """Ends it, if it is ours."""
        if self._is_ours:
            import ray

            ray.shutdown()

    _is_ours = False


@contextmanager
def _path_for_children() -> Generator[None]:
    """Processes that are started now find the modules that this one finds."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def install() -> None:
    """Has FlowerPower make these."""
    from flowerpower.utils.executor import ExecutorFactory

    def dask(_factory: Any, executor_cfg: Any) -> Any:
        return LocalDask(executor_cfg.max_workers or executor_cfg.num_cpus or 1)

    def ray(_factory: Any, executor_cfg: Any) -> Any:
        return LocalRay(executor_cfg.num_cpus or 1)

    for name, create in (("_create_dask_executor", dask), ("_create_ray_executor", ray)):
        if hasattr(ExecutorFactory, name):
            setattr(ExecutorFactory, name, create)

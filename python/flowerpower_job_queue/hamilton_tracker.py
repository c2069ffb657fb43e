"""Hamilton's tracker, as FlowerPower's `with_adapter.hamilton_tracker` means it.

FlowerPower looks for it where it no longer is. And its client starts two threads that outlive every run, so here what
it collects is sent by the reporter's own thread.
"""

from __future__ import annotations

import queue
import time
from typing import Any

FLUSH_S = 5.0
_MAX_BATCH = 100


def make_tracker(project: Any, pipeline: Any) -> Any:
    """A tracker with FlowerPower's settings of project and pipeline. Calls the server, and raises what it says."""
    from hamilton_sdk.adapters import HamiltonTracker
    from hamilton_sdk.api.clients import BasicSynchronousHamiltonClient
    from hamilton_sdk.tracking import constants

    class Client(BasicSynchronousHamiltonClient):
        """Without threads: what is collected leaves with the call that finds it due."""

        def __init__(self, api_key: str, username: str, h_api_url: str, verify: Any = True) -> None:
            self.api_key, self.username, self.verify = api_key, username, verify
            self.base_url = f"{h_api_url}/api/v1"
            self.data_queue: queue.Queue[Any] = queue.Queue()
            self._flushed_at = time.monotonic()

        def update_tasks(self, *arguments: Any, **named: Any) -> None:
            super().update_tasks(*arguments, **named)
            if self.data_queue.qsize() >= _MAX_BATCH or time.monotonic() - self._flushed_at > FLUSH_S:
                self._send()

        def log_dag_run_end(self, *arguments: Any, **named: Any) -> None:
            self._send()
            super().log_dag_run_end(*arguments, **named)

        def _send(self) -> None:
            batch: list[Any] = []
            while not self.data_queue.empty():
                batch.append(self.data_queue.get_nowait())
            self._flushed_at = time.monotonic()
            if batch:
                self.flush(batch)

    constants.CAPTURE_DATA_STATISTICS = pipeline.capture_data_statistics
    constants.MAX_LIST_LENGTH_CAPTURE = pipeline.max_list_length_capture
    constants.MAX_DICT_LENGTH_CAPTURE = pipeline.max_dict_length_capture
    if pipeline.project_id is None:
        raise ValueError("adapter.hamilton_tracker.project_id is not set in the pipeline's YAML")
    return HamiltonTracker(
        project_id=pipeline.project_id,
        username=project.username,
        dag_name=pipeline.dag_name,
        tags=dict(pipeline.tags or {}),
        client_factory=Client,
        api_key=project.api_key,
        hamilton_api_url=project.api_url,
        hamilton_ui_url=project.ui_url,
        verify=project.verify,
    )

"""Keeps FlowerPower from writing into the user's project, and one run's logging out of the next.

Loading a YAML with flat retry fields rewrites the file, comments lost; loading a project makes folders that it misses.
Both happen wherever the user's own modules load their configuration too, so they are switched off in FlowerPower
itself, for this process.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any


def install() -> None:
    """Switches the writing off, and gets FlowerPower's one-time notices out of the way of the first run."""
    from flowerpower.cfg import pipeline as pipeline_cfg
    from flowerpower.pipeline import manager, telemetry

    migrate: Any = pipeline_cfg.migrate_legacy_retry_fields

    def migrate_in_memory(run_data: dict[str, Any]) -> bool:
        migrate(run_data)
        return False  # "Nothing has changed": so nothing is written back.

    pipeline_cfg.migrate_legacy_retry_fields = migrate_in_memory
    for name in ("_bootstrap_project_directories", "_ensure_directories_exist"):
        if hasattr(manager.PipelineManager, name):
            setattr(manager.PipelineManager, name, lambda self: None)  # pyright: ignore[reportUnknownLambdaType]

    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            telemetry.initialize_telemetry()
    finally:
        logging.disable(logging.NOTSET)


def forget_log_level() -> None:
    """Takes back the loguru handler that a run with a log level has put in place of all others, as it is after loading.

    Without this a run at DEBUG would leave its level to the beginning of the next one.
    """
    from flowerpower.utils.logging import setup_logging

    setup_logging()

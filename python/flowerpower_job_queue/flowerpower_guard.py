"""Keeps FlowerPower from writing into the project, one run's logging out of the next, and loguru's look-ups short.

Loading a YAML with flat retry fields rewrites the file, comments lost; loading a project makes folders that it misses.
Both happen wherever the user's own modules load their configuration too, so they are switched off in FlowerPower
itself, for this process.
"""

from __future__ import annotations

import functools
import logging
import sys
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

    remember_library_folders()
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            telemetry.initialize_telemetry()
    finally:
        logging.disable(logging.NOTSET)


def remember_library_folders() -> None:
    """FlowerPower makes two loguru handlers for each run, and each takes 3 ms to look up where Python's libraries lie.

    That depends on nothing but the process and `sys.path`, so it is looked up once for each `sys.path`.
    """
    from loguru import _better_exceptions

    formatter: Any = getattr(_better_exceptions, "ExceptionFormatter", None)
    look_up: Any = getattr(formatter, "_get_lib_dirs", None)
    if look_up is None:
        return

    @functools.lru_cache(maxsize=8)
    def folders(_path: tuple[str, ...]) -> list[str]:
        return look_up()

    formatter._get_lib_dirs = staticmethod(lambda: list(folders(tuple(sys.path))))


def forget_log_level() -> None:
    """Takes back the loguru handler that a run with a log level has put in place of all others, as it is after loading.

    Without this a run at DEBUG would leave its level to the beginning of the next one.
    """
    from flowerpower.utils.logging import setup_logging

    setup_logging()

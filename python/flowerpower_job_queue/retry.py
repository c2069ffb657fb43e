"""The retry that somebody has written; FlowerPower's implicit one (three times, any Exception) does not count."""

from __future__ import annotations

import os
from typing import Any

from .configuration import Document

_FLAT = ("max_retries", "retry_delay", "jitter_factor", "retry_exceptions")
_SHIMS = ("FP_MAX_RETRIES", "FP_RETRY_DELAY", "FP_JITTER_FACTOR")


def written_retry(document: Document, run_config: Any) -> dict[str, Any] | None:
    """The retry of YAML or environment as FlowerPower resolves it, None when neither has one."""
    run = document.section("run")
    in_yaml = isinstance(run.get("retry"), dict) or any(run.get(key) is not None for key in _FLAT)
    if not in_yaml and not _in_environment():
        return None
    retry = run_config.retry
    try:
        return {
            "maxRetries": max(0, int(retry.max_retries)),
            "retryDelay": max(0.0, float(retry.retry_delay)),
            "jitterFactor": max(0.0, float(retry.jitter_factor or 0)),
            "retryExceptions": _names(run, retry.retry_exceptions),
        }
    except (TypeError, ValueError, AttributeError):
        # A bad overlay (`FP_PIPELINE__RUN__RETRY__MAX_RETRIES=many`) is no retry at all.
        return None


def _in_environment() -> bool:
    return any(name.startswith("FP_PIPELINE__RUN__RETRY") or name in _SHIMS for name in os.environ)


def _names(run: dict[str, Any], resolved: Any) -> list[str]:
    """Names as they are written: FlowerPower looks `ConnectionError` up in other modules before the builtins."""
    nested = run.get("retry")
    written = nested.get("retry_exceptions") if isinstance(nested, dict) else None
    written = written or run.get("retry_exceptions")
    if isinstance(written, str):
        return [written]
    if isinstance(written, list) and all(isinstance(name, str) for name in written):
        return written
    names = resolved if isinstance(resolved, list) else ["Exception"]
    return [name if isinstance(name, str) else getattr(name, "__name__", str(name)) for name in names]

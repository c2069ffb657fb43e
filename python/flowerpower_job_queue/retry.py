"""The retry that somebody has written; FlowerPower's implicit one (three times, any Exception) does not count."""

from __future__ import annotations

from typing import Any

from .configuration import Document, has_reference
from .origin import Origin, Origins

_FLAT = ("max_retries", "retry_delay", "jitter_factor", "retry_exceptions")


def written_retry(document: Document, run_config: Any, origins: Origins) -> dict[str, Any] | None:
    """The retry of YAML or environment as FlowerPower resolves it, None when neither has one."""
    if origin_of_retry(document, origins) is None:
        return None
    retry = run_config.retry
    try:
        return {
            "maxRetries": max(0, int(retry.max_retries)),
            "retryDelay": max(0.0, float(retry.retry_delay)),
            "jitterFactor": max(0.0, float(retry.jitter_factor or 0)),
            "retryExceptions": exception_names(document, origins, retry.retry_exceptions),
        }
    except (TypeError, ValueError, AttributeError):
        # A bad overlay (`FP_PIPELINE__RUN__RETRY__MAX_RETRIES=many`) is no retry at all.
        return None


def has_flat_fields(document: Document) -> bool:
    """Whether the retry is written as it was of old, for which FlowerPower would rewrite the file."""
    return any(name in document.section("run") for name in _FLAT)


def origin_of_retry(document: Document, origins: Origins, name: str | None = None) -> Origin | None:
    """Who has written the retry, or one value of it; None: nobody.

    The flat fields of old count where the nested section has nothing, and only in YAML: as overlays they do nothing.
    """
    run = document.section("run")
    if name is None:
        nested = origins.of("pipeline", "run", "retry")
        is_null = nested is not None and nested.source == document.path and run.get("retry") is None
        found = [None if is_null else nested, *(origin_of_retry(document, origins, each) for each in _FLAT)]
        return next((origin for origin in found if origin is not None), None)
    nested = origins.of("pipeline", "run", "retry", name)
    if nested is not None or run.get(name) is None:
        return nested
    reference = run[name] if has_reference(run[name]) else None
    return Origin(document.path or "", None if reference is None else str(reference))


def exception_names(document: Document, origins: Origins, resolved: Any) -> list[str]:
    """Names as they are written: FlowerPower looks `ConnectionError` up in other modules before the builtins."""
    run = document.section("run")
    origin = origin_of_retry(document, origins, "retry_exceptions")
    nested = run.get("retry")
    written = nested.get("retry_exceptions") if isinstance(nested, dict) else None
    written = written or run.get("retry_exceptions")
    if origin is not None and origin.reference is None:
        if isinstance(written, str):
            return [written]
        if isinstance(written, list) and all(isinstance(name, str) for name in written):
            return written
    names = resolved if isinstance(resolved, list) else ["Exception"]
    return [name if isinstance(name, str) else getattr(name, "__name__", str(name)) for name in names]

"""The run config of an attempt as it was resolved: each value with its source.

A value from the environment is told as its reference and a keyed hash, one that is named like a secret or is too large
as the hash alone. FlowerPower's defaults are told where they decide how a run goes, of adapters only what is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from .configuration import is_secret_name, publish
from .origin import CODE, DEFAULT, REQUEST, Origin, keyed_hash
from .plan import Plan
from .project import LoadedPipeline
from .protocol import Run
from .results import describe_result
from .retry import exception_names, origin_of_retry

MAX_VALUE_BYTES = 4 * 1024
_EXECUTOR = ("type", "max_workers", "num_cpus")
_RETRY = ("max_retries", "retry_delay", "jitter_factor")

Entry = dict[str, Any]


def resolved_config(request: Run, loaded: LoadedPipeline, plan: Plan) -> list[Entry]:
    """A `path`, `value` or `reference`, `source` and `keyedHash` for each value, sections one after the other."""
    return list(_Resolved(request, loaded, plan).entries())


class _Resolved:
    def __init__(self, request: Run, loaded: LoadedPipeline, plan: Plan) -> None:
        self._request = request
        self._plan = plan
        self._origins = loaded.origins
        self._config = loaded.config
        self._document = loaded.document
        self._key = request.hash_key
        self._told: dict[Any, list[Entry]] = loaded.told

    def entries(self) -> Iterator[Entry]:
        run = self._config.pipeline.run
        request = self._request
        yield from self._merged("inputs", request.inputs, run.inputs or {}, set(self._plan.inputs))
        yield from self._code_defaults()
        yield from self._merged("config", request.config, run.config or {}, None)
        yield self._asked("final_vars", request.final_vars, self._plan.final_vars)
        for name in _EXECUTOR:
            asked = None if request.executor is None else getattr(request.executor, name)
            yield self._asked(f"executor.{name}", asked, self._plan.executor[name])
        asked_level = None if request.log_level is None else request.log_level.upper()
        yield self._asked("log_level", asked_level, asked_level or run.log_level)
        yield from self._once("rest", lambda: self._rest(run))

    def _rest(self, run: Any) -> Iterator[Entry]:
        """What no request can change."""
        yield from self._retry(run)
        for name in run.with_adapter.__struct_fields__:
            yield self._asked(f"with_adapter.{name}", None, getattr(run.with_adapter, name))
        if run.additional_modules:
            modules = [getattr(module, "__name__", module) for module in run.additional_modules]
            yield self._asked("additional_modules", None, modules)
        yield from self._written("params", "pipeline", ("params",), self._config.pipeline.params)
        yield from self._written("adapter", "pipeline", ("adapter",), self._config.pipeline.adapter)
        yield from self._written("project.adapter", "project", ("adapter",), self._config.project.adapter)

    def _once(self, what: Any, make: Callable[[], Iterable[Entry]]) -> list[Entry]:
        key = (what, self._key)
        if key not in self._told:
            self._told[key] = list(make())
        return self._told[key]

    def _merged(
        self, section: str, requested: dict[str, Any], configured: dict[str, Any], taken: set[str] | None
    ) -> Iterator[Entry]:
        """Merged by key, the request over YAML and environment. `taken`: the keys that have an effect; None: all."""
        for key in dict.fromkeys([*configured, *requested]):
            if taken is not None and key not in taken:
                continue
            path = f"{section}.{key}"
            if key in requested:
                yield self._entry(path, requested[key], Origin(REQUEST))
            else:
                origin = partial(self._origin, section, str(key))
                yield from self._once(path, partial(self._configured, path, configured[key], origin))

    def _configured(self, path: str, value: Any, origin: Callable[[], Origin]) -> list[Entry]:
        return [self._entry(path, value, origin())]

    def _code_defaults(self) -> Iterator[Entry]:
        graph, running = self._plan.graph, set(self._plan.path)
        for name in graph.inputs():
            if name in self._plan.inputs or running.isdisjoint(graph.used_by(name)):
                continue
            yield from self._code_default(name)

    def _code_default(self, name: str) -> list[Entry]:
        # With the graph, which goes when too many configs were asked for.
        key, told = (name, self._key), self._plan.graph.told
        if key not in told:
            found, value = self._plan.graph.default_of(name)
            told[key] = [self._entry(f"inputs.{name}", value, Origin(CODE))] if found else []
        return told[key]

    def _asked(self, path: str, requested: Any, resolved: Any) -> Entry:
        """One value, which a request replaces as a whole."""
        if requested is not None:
            return self._entry(path, resolved, Origin(REQUEST))
        origin = partial(self._origin, *path.split("."))
        return self._once(("asked", path), partial(self._configured, path, resolved, origin))[0]

    def _retry(self, run: Any) -> Iterator[Entry]:
        """As FlowerPower resolves it, nested or flat; how often it is tried again is the queue's to say."""
        for name in _RETRY:
            yield self._retry_entry(name, getattr(run.retry, name))
        names = exception_names(self._document, self._origins, run.retry.retry_exceptions)
        yield self._retry_entry("retry_exceptions", names)

    def _retry_entry(self, name: str, value: Any) -> Entry:
        origin = origin_of_retry(self._document, self._origins, name) or Origin(DEFAULT)
        return self._entry(f"retry.{name}", value, origin)

    def _written(self, path: str, kind: str, place: tuple[str, ...], resolved: Any) -> Iterator[Entry]:
        """What YAML or environment say below a place, key by key; a section of FlowerPower's own is gone into."""
        for key in self._origins.keys(kind, *place):
            value = resolved.get(key) if isinstance(resolved, dict) else getattr(resolved, key, None)
            below = hasattr(value, "__struct_fields__")
            if below:
                yield from self._written(f"{path}.{key}", kind, (*place, key), value)
            elif isinstance(resolved, dict) or hasattr(resolved, key):
                origin = self._origins.of(kind, *place, key) or Origin(DEFAULT)
                yield self._entry(f"{path}.{key}", value, origin)

    def _origin(self, *place: str) -> Origin:
        return self._origins.of("pipeline", "run", *place) or Origin(DEFAULT)

    def _entry(self, path: str, value: Any, origin: Origin) -> Entry:
        told: Any = None
        kept = origin.reference is None and not is_secret_name(path.rpartition(".")[2])
        if kept:
            told, kept = _as_json(value)
        return {
            "path": path,
            "value": told,
            "reference": origin.reference,
            "source": origin.source,
            "keyedHash": None if kept else keyed_hash(self._key, _hashable(value)),
        }


def _as_json(value: Any) -> tuple[Any, bool]:
    """The value as JSON and whether it is told: not when JSON cannot carry it, or when it is large."""
    described = describe_result(value, "full", MAX_VALUE_BYTES)
    if "value" in described:
        return described["value"], True
    published = publish(value) if isinstance(value, (dict, list)) else None
    return (published, True) if published is not None and _size(published) <= MAX_VALUE_BYTES else (None, False)


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace"))


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)

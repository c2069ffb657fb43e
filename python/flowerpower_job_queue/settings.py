"""The `job_queue:` section of a project's or pipeline's YAML, and a look at FlowerPower's own sections.

In our section an unknown key is an error that names the nearest one. In FlowerPower's, which it would ignore silently,
it is a warning: other people's projects run unmodified.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowerpower.utils.yaml_env import interpolate_env_in_data

from .coerce import parse_duration
from .configuration import Document
from .errors import Problem, problem
from .sizes import parse_size, size_that_was_meant

_DEFAULT_KEYS = (
    "queue", "timeout", "max_retries", "retry_delay", "jitter_factor", "retry_exceptions", "on_worker_lost",
    "max_memory", "max_cpu", "runtime", "results", "reuse", "result_ttl", "log_ttl", "failure_ttl", "statistics",
    "priority", "ttl", "retry",
)  # fmt: skip
# What a project may say of its jobs in one queue.
_QUEUE_KEYS = (
    "priority", "timeout", "ttl", "max_retries", "retry_delay", "jitter_factor", "retry_exceptions", "retry",
    "on_worker_lost", "needs",
)  # fmt: skip
_SECTION_KEYS = (
    *_DEFAULT_KEYS, "job_defaults", "queues", "python", "env_file", "timezone", "backend", "backends", "concurrency",
    "concurrency_key", "needs", "schedules", "adapters",
)  # fmt: skip
_PROJECT_KEYS = ("queues", "python", "env_file", "backend", "backends")
_RETRY_KEYS = {
    "max_retries": "maxRetries",
    "retry_delay": "retryDelay",
    "jitter_factor": "jitterFactor",
    "retry_exceptions": "retryExceptions",
}
# Those of the `retry:` section, which has all that a request can say.
_RETRY_SECTION_KEYS = {
    **_RETRY_KEYS,
    "backoff": "backoff",
    "delays": "delays",
    "max_delay": "maxDelay",
    "non_retryable_exceptions": "nonRetryableExceptions",
}
_MOST_DELAYS = 100
# A day, as of a request.
_LONGEST_DELAY = 86_400_000
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_VALUES = (
    "queue", "timeoutMs", "retry", "onWorkerLost", "maxMemoryBytes", "maxCpuMs", "runtime", "results", "reuse",
    "statistics", "concurrency", "concurrencyKey", "needs", "priority", "ttlMs",
)  # fmt: skip
# A class of the project's own: "adapters.alerts:Alerts".
_ADAPTER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
# What tells the jobs of a pipeline apart: an input, or the tag that begins with a word and a colon.
_KEY_PART = re.compile(r"(inputs|tags)\.\w[\w.-]*")
_MOST_JOBS = 100_000
# Of workers (`labelPattern` in src/domain/lanes.ts).
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/=-]{0,62}")
_MOST_LABELS = 10
# Part of the name of a line of tickets, which has room for two such names (`namePattern` in src/domain/lanes.ts).
_QUEUE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")
# Less than Python alone needs, by far: a unit was forgotten.
_LEAST_MEMORY = 64_000_000
# Beyond it JSON's numbers are not exact.
_MOST = 2**53
_TTL_KEYS = {"ttl": "ttlMs", "result_ttl": "resultTtlMs", "log_ttl": "logTtlMs", "failure_ttl": "failureTtlMs"}
_BACKENDS = ("graphile-worker", "rq", "saq", "arq", "taskiq", "huey", "dramatiq")


@dataclass
class Settings:
    """What a `job_queue:` section says, in the protocol's words, and what is wrong with it."""

    values: dict[str, Any]
    queues: list[str] = field(default_factory=list[str])
    # What is said of jobs in a queue, in the same words.
    queue_defaults: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    # None: says nothing about adapters.
    adapters: list[str] | None = None
    problems: list[Problem] = field(default_factory=list[Problem])


def read_settings(document: Document) -> Settings:
    """Reads the section; every problem is collected, not only the first."""
    settings = Settings(dict.fromkeys(_VALUES))
    section = document.data.get("job_queue")
    if section is None:
        return settings
    reader = _Reader(f"{document.path}: job_queue", settings)
    if not isinstance(section, dict):
        reader.refuse("", "expected keys and values")
        return settings
    try:
        # As FlowerPower does it with the rest of the file: `timeout: ${TIMEOUT:-30m}`.
        section: Any = interpolate_env_in_data(section)
    except ValueError as error:
        reader.refuse("", str(error))
        return settings
    reader.check_keys("", section, _SECTION_KEYS)
    if "/pipelines/" in (document.path or ""):
        for key in _PROJECT_KEYS:
            if key in section:
                reader.refuse(key, "belongs into conf/project.yml: it is one for the whole project")
    reader.read_values("", section)
    defaults = section.get("job_defaults")
    if isinstance(defaults, dict):
        reader.check_keys("job_defaults", defaults, _DEFAULT_KEYS)
        reader.read_values("job_defaults", defaults)
    elif defaults is not None:
        reader.refuse("job_defaults", "expected keys and values")
    reader.read_queues(section.get("queues"))
    reader.read_adapters(section.get("adapters"))
    if section.get("backend") is not None:
        reader.one_of("backend", section["backend"], _BACKENDS)
    return settings


class _Reader:
    """Takes values out of the section."""

    def __init__(self, place: str, settings: Settings) -> None:
        self._place = place
        self._settings = settings

    def refuse(self, key: str, message: str, suggestion: str | None = None) -> None:
        place = f"{self._place}.{key}" if key else self._place
        self._settings.problems.append(problem(place, message, suggestion))

    def check_keys(self, at: str, section: dict[Any, Any], known: Iterable[str]) -> None:
        for key in section:
            if key not in known:
                nearest = nearest_name(str(key), known)
                self.refuse(f"{at}.{key}" if at else str(key), "unknown key", nearest)

    def read_values(self, at: str, section: dict[Any, Any]) -> None:
        self._read_values(at, section, self._settings.values)

    def _read_values(self, at: str, section: dict[Any, Any], values: dict[str, Any]) -> None:
        retry: dict[str, Any] = values.get("retry") or {}
        for key, value in section.items():
            place = f"{at}.{key}" if at else str(key)
            if value is None:
                continue
            if key == "queue":
                values["queue"] = value if self._check_queue(place, value) else None
            elif key == "timeout":
                values["timeoutMs"] = self._milliseconds(place, value)
            elif key == "on_worker_lost":
                values["onWorkerLost"] = self.one_of(place, value, ("retry", "fail"))
            elif key == "max_memory":
                values["maxMemoryBytes"] = self._bytes(place, value)
            elif key == "max_cpu":
                values["maxCpuMs"] = self._milliseconds(place, value)
            elif key == "runtime":
                values["runtime"] = self.one_of(place, value, ("warm", "fresh"))
            elif key == "results":
                values["results"] = self.one_of(place, value, ("full", "summary", "none"))
            elif key == "reuse":
                values["reuse"] = self.one_of(place, value, ("none", "resume", "full"))
            elif key == "concurrency":
                if self._check(place, _is_int(value) and 1 <= value <= _MOST_JOBS, "expected a number of jobs from 1"):
                    values["concurrency"] = value
            elif key == "concurrency_key":
                values["concurrencyKey"] = self._concurrency_key(place, value)
            elif key == "needs":
                values["needs"] = self._labels(place, value)
            elif key == "statistics":
                # YAML reads a bare `on` as true.
                said = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
                values["statistics"] = self.one_of(place, said, ("on", "off"))
            elif key == "priority":
                if self._check(place, _is_int(value) and 0 <= value <= 100, "expected an integer from 0 to 100"):
                    values["priority"] = value
            elif key in _RETRY_KEYS:
                self._read_retry(place, str(key), value, retry)
            elif key == "retry":
                self._read_retry_section(place, value, section, retry)
            elif key in _TTL_KEYS:
                values[_TTL_KEYS[key]] = self._milliseconds(place, value)
        values["retry"] = retry or None

    def _concurrency_key(self, place: str, value: Any) -> list[str] | None:
        parts: list[Any] = value if isinstance(value, list) else [value]
        valid = all(isinstance(part, str) and _KEY_PART.fullmatch(part) for part in parts)
        message = 'expected what tells jobs apart, like "inputs.region" or "tags.customer"'
        return parts if self._check(place, valid, message) else None

    def _labels(self, place: str, value: Any) -> list[str] | None:
        labels: list[Any] = value if isinstance(value, list) else [value]
        valid = len(labels) <= _MOST_LABELS and all(
            isinstance(label, str) and _LABEL.fullmatch(label) for label in labels
        )
        message = f'expected labels of workers, {_MOST_LABELS} at most, like "gpu" or "region=eu"'
        return labels if self._check(place, valid, message) else None

    def _read_retry_section(self, place: str, retry: Any, around: dict[Any, Any], values: dict[str, Any]) -> None:
        if not self._check(place, isinstance(retry, dict), "expected keys and values"):
            return
        self.check_keys(place, retry, _RETRY_SECTION_KEYS)
        for key, value in retry.items():
            if around.get(key) is not None and key in _RETRY_KEYS:
                self.refuse(f"{place}.{key}", f"is written beside the section too: {key}")
            elif key in _RETRY_SECTION_KEYS and value is not None:
                self._read_retry(f"{place}.{key}", str(key), value, values)

    def _read_retry(self, place: str, key: str, value: Any, retry: dict[str, Any]) -> None:
        if key == "max_retries":
            if self._check(place, _is_int(value) and value >= 0, "expected an integer from 0"):
                retry["maxRetries"] = value
        elif key in ("retry_exceptions", "non_retryable_exceptions"):
            names: Any = [value] if isinstance(value, str) else value
            valid = isinstance(names, list) and all(isinstance(name, str) and _CLASS.fullmatch(name) for name in names)
            if self._check(place, valid, 'expected names of exception classes, like "ConnectionError"'):
                retry[_RETRY_SECTION_KEYS[key]] = names
        elif key == "backoff":
            backoff = self.one_of(place, value, ("exponential", "fixed"))
            if backoff is not None:
                retry["backoff"] = backoff
        elif key == "delays":
            self._read_delays(place, value, retry)
        elif key == "max_delay":
            milliseconds = self._milliseconds(place, value, zero=True, most=_LONGEST_DELAY)
            if milliseconds is not None:
                retry["maxDelay"] = milliseconds / 1000
        elif key == "retry_delay":
            milliseconds = self._milliseconds(place, value, zero=True)
            if milliseconds is not None:
                retry["retryDelay"] = milliseconds / 1000
        elif self._check(place, _is_number(value) and value >= 0, "expected a number from 0"):
            retry["jitterFactor"] = value

    def _read_delays(self, place: str, value: Any, retry: dict[str, Any]) -> None:
        valid = isinstance(value, list) and 1 <= len(value) <= _MOST_DELAYS
        if not self._check(place, valid, f"expected a list of 1 to {_MOST_DELAYS} delays"):
            return
        read = [
            self._milliseconds(f"{place}.{index}", delay, zero=True, most=_LONGEST_DELAY)
            for index, delay in enumerate(value)
        ]
        delays = [milliseconds / 1000 for milliseconds in read if milliseconds is not None]
        if len(delays) == len(read):
            retry["delays"] = delays

    def read_queues(self, queues: Any) -> None:
        if queues is None:
            return
        for place, name, says in _declared_queues(queues):
            if not self._check_queue("queues", name):
                continue
            self._settings.queues.append(name)
            if says is None or not self._check(place, isinstance(says, dict), "expected keys and values"):
                continue
            self.check_keys(place, says, _QUEUE_KEYS)
            defaults: dict[str, Any] = {}
            self._read_values(place, {key: value for key, value in says.items() if key in _QUEUE_KEYS}, defaults)
            said = {key: value for key, value in defaults.items() if value is not None}
            if said:
                self._settings.queue_defaults[name] = said

    def _check_queue(self, place: str, name: Any) -> bool:
        if not isinstance(name, str) or not name:
            return self._check(place, False, "expected the name of a queue")
        message = (
            f'"{name}" cannot be the name of a queue: letters from A to Z, digits, "_", "-" and ".", at most 60 of them'
        )
        return self._check(place, _QUEUE.fullmatch(name) is not None, message)

    def read_adapters(self, adapters: Any) -> None:
        if adapters is None:
            return
        if not self._check("adapters", isinstance(adapters, list), "expected a list of classes"):
            return
        for index, adapter in enumerate(adapters):
            valid = isinstance(adapter, str) and _ADAPTER.fullmatch(adapter)
            self._check(f"adapters.{index}", valid, 'expected a class of the project, like "adapters.alerts:Alerts"')
        self._settings.adapters = [adapter for adapter in adapters if isinstance(adapter, str)]

    def one_of(self, place: str, value: Any, options: tuple[str, ...]) -> str | None:
        if value in options:
            return value
        self.refuse(place, f"expected one of {', '.join(options)}", nearest_name(str(value), options))
        return None

    def _milliseconds(self, place: str, value: Any, zero: bool = False, most: int = _MOST) -> int | None:
        """Seconds, or a duration as text: `30m`."""
        length = None
        if _is_number(value) and abs(value) <= _MOST / 1000:  # neither infinite nor NaN
            length = round(value * 1000)
        elif isinstance(value, str):
            duration = parse_duration(value)
            length = None if duration is None else round(duration.total_seconds() * 1000)
        valid = length is not None and length <= most and (length > 0 or (zero and length == 0))
        limit = "" if most == _MOST else ", up to a day"
        return length if self._check(place, valid, f'expected seconds, or a duration like "30m"{limit}') else None

    def _bytes(self, place: str, value: Any) -> int | None:
        size = parse_size(value)
        if size is not None and _LEAST_MEMORY <= size <= _MOST:
            return size
        message = (
            'expected an amount of memory like "2GB", at least 64MB: Python with FlowerPower alone holds about 250MB'
        )
        self.refuse(place, message, size_that_was_meant(value))
        return None

    def _check(self, place: str, valid: Any, message: str) -> bool:
        if not valid:
            self.refuse(place, message)
        return bool(valid)


def _declared_queues(queues: Any) -> list[tuple[str, Any, Any]]:
    """Of each queue the place, the name and what is said of it: `[nightly]`, `[{name: nightly}]`, `{nightly: {…}}`."""
    if isinstance(queues, dict):
        return [(f"queues.{name}", name, says) for name, says in queues.items()]
    found: list[tuple[str, Any, Any]] = []
    for index, item in enumerate(queues if isinstance(queues, list) else [queues]):
        if isinstance(item, dict):
            says = {key: value for key, value in item.items() if key != "name"}
            found.append((f"queues.{index}", item.get("name"), says))
        else:
            found.append((f"queues.{index}", item, None))
    return found


def flowerpower_warnings(document: Document, known: Mapping[str, Iterable[str]]) -> list[Problem]:
    """Keys that FlowerPower would ignore. `known` has the keys by section: "" for the top, "run", "run.executor"."""
    warnings: list[Problem] = []
    for at, keys in known.items():
        section: Any = document.data
        for part in at.split(".") if at else ():
            section = section.get(part) if isinstance(section, dict) else None
        if not isinstance(section, dict):
            continue
        keys = [*keys, "job_queue"] if not at else list(keys)
        for key in section:
            if key not in keys:
                place = f"{document.path}: {at}.{key}" if at else f"{document.path}: {key}"
                warnings.append(problem(place, "FlowerPower ignores this key", nearest_name(str(key), keys)))
    return warnings


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """What was probably meant."""
    options = list(known)
    lowered: Callable[[str], str] = str.lower
    exact = [option for option in options if lowered(option) == name.lower()]
    return (exact or difflib.get_close_matches(name, options, n=1, cutoff=0.6) or [None])[0]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

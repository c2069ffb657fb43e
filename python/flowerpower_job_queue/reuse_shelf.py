"""What a run has of the store: the node that each thread is at, what was found for it, and why not."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hamilton.caching.cache_key import decode_key
from hamilton.caching.stores.base import ResultRetrievalError

from .reuse_rules import NodeRule
from .reuse_store import Entry, ReuseStore, TooLarge


@dataclass
class Outcome:
    """What became of a node under reuse."""

    code_version: str | None
    # False: its value was taken from the store.
    executed: bool = False
    reason: dict[str, Any] | None = None
    stored: bool = False
    # What was taken.
    source: Entry | None = None


class Observer(Protocol):
    """Who is told what happens. `NodeEvents` is one."""

    def begin(self, node: str, task_id: str | None, reason: dict[str, Any] | None) -> None:
        """The node's function is called next."""
        ...

    def finish(self, node: str, task_id: str | None) -> None:
        """It has returned, or raised."""
        ...

    def warn(self, text: str, node: str | None) -> None:
        """A line for the run's log."""
        ...


@dataclass
class Call:
    """A node on its way through Hamilton's hooks."""

    rule: NodeRule
    task_id: str | None
    outcome: Outcome
    key: str = ""
    found: tuple[str, Entry] | None = None
    # A key and version that wait for their value.
    pending: tuple[str, str] | None = None
    raised: bool = False
    returned: bool = False
    result: Any = None


class Shelf:
    """Hamilton runs a node with all its hooks on one thread: what it asks the stores is about that thread's node."""

    def __init__(self, store: ReuseStore, job: str, attempt: int) -> None:
        self.store = store
        self.observer: Observer | None = None
        self._job = job
        self._attempt = attempt
        self._local = threading.local()
        self._said: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._local = threading.local()

    @property
    def call(self) -> Call | None:
        """The node that this thread is at."""
        return getattr(self._local, "call", None)

    def enter(self, rule: NodeRule, task_id: str | None) -> Call:
        """Begins with a node on this thread."""
        self._local.call = Call(rule, task_id, Outcome(rule.version))
        return self._local.call

    def leave(self) -> None:
        """No node that reuse has to do with."""
        self._local.call = None

    def warn(self, text: str, node: str | None = None) -> None:
        """Says something, once."""
        if text not in self._said and self.observer is not None:
            self._said.add(text)
            self.observer.warn(text, node)

    def execute(self, name: str, task_id: str | None, function: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
        """Calls the node's function and tells of it under its task, by which its end is told."""
        call = self.call
        if call is not None:
            call.outcome.executed = True
        if self.observer is not None:
            self.observer.begin(name, task_id, None if call is None else call.outcome.reason)
        try:
            result = function(**kwargs)
        except BaseException:
            if call is not None:
                call.raised = True
            raise
        finally:
            if self.observer is not None:
                self.observer.finish(name, task_id)
        if call is not None:
            call.result, call.returned = result, True
        return result

    def look_up(self, key: str) -> str | None:
        """The version of the value that is stored under a key; None when there is none that can be used."""
        call = self.call
        if call is None:
            return None
        call.key, call.found = key, self.store.find(call.rule.reads, key)
        if call.found is None:
            call.outcome.reason = call.rule.reason or self._why_not(call.rule, key)
            return None
        entry = call.found[1]
        if entry.omitted is not None:
            call.outcome.reason = reason_of("not_reusable", f"not reusable: {entry.omitted}")
            return None
        return entry.version

    def take(self) -> Any:
        """The value that was found."""
        call = self.call
        if call is None or call.found is None:
            raise ResultRetrievalError("nothing was found")
        path, entry = call.found
        try:
            value = self.store.load(path, entry)
        except Exception as error:  # Unpickling runs the value's own code.
            self.store.remove(path)
            text = f"no stored result: it could not be read ({text_of(error)})"
            call.outcome.reason = reason_of("nothing_stored", text)
            raise ResultRetrievalError(text) from error
        call.outcome.source, call.outcome.stored = entry, True
        return value

    def reused(self) -> None:
        """The node was served from the store: what the job has used is among its own from now on."""
        call = self.call
        if call is None or call.found is None or call.outcome.source is None:
            return
        source, rule = call.outcome.source, call.rule
        by = f"{source.job}, attempt {source.attempt}"
        call.outcome.reason = reason_of("hit", f"hit: computed by {by}", source)
        for scope in rule.writes:
            with contextlib.suppress(OSError):
                self.store.share(call.found[0], scope, call.key)
        if rule.may_save:
            text = f"{rule.node} looks as if it writes something. It was reused: what it wrote in {by} is not written"
            self.warn(f"{text} again. Ask for `recompute` if it has to be.", rule.node)

    def note(self, key: str, version: str) -> None:
        """The node has a new value, which is going to be stored."""
        if self.call is not None and self.call.rule.writes:
            self.call.pending = (key, version)

    def put(self, value: Any) -> None:
        """Stores the value that was noted."""
        call = self.call
        if call is None or call.pending is None:
            return
        (key, version), call.pending = call.pending, None
        rule, inputs = call.rule, _inputs_of(key)
        entry = Entry(rule.node, call.task_id, rule.code or "", inputs, version, self._job, self._attempt, omitted=None)
        try:
            try:
                self.store.save(rule.writes, key, entry, value)
                call.outcome.stored = True
            except OSError:
                raise
            except TooLarge as error:
                self.store.save(rule.writes, key, replace(entry, omitted=f"its value has {error}"), None)
            except Exception as error:  # Pickling runs the value's own code.
                omitted = f"its value cannot be stored: {text_of(error)}"
                self.store.save(rule.writes, key, replace(entry, omitted=omitted), None)
        except OSError as error:
            self.warn(f"Values of nodes cannot be stored for reuse: {text_of(error)}")

    def _why_not(self, rule: NodeRule, key: str) -> dict[str, Any]:
        """Why nothing was found: what differs from what is stored of the node and is most like it."""
        inputs = _inputs_of(key)
        differing: list[list[str]] = []
        is_other_code = False
        for entry in self.store.earlier(rule.reads, key, rule.node):
            if entry.code == rule.code:
                differing.append([name for name, version in inputs.items() if entry.inputs.get(name) != version])
            else:
                is_other_code = True
        fewest = min(differing, key=len, default=[])
        if fewest:
            return reason_of("input_changed", f"input changed: {', '.join(fewest)}")
        if is_other_code and not differing:
            return reason_of("code_changed", "code changed")
        return reason_of("nothing_stored", "no stored result")


def reason_of(code: str, text: str, source: Entry | None = None) -> dict[str, Any]:
    """A reason as the protocol has it."""
    job, attempt = (None, None) if source is None else (source.job, source.attempt)
    return {"code": code, "text": text[:500], "job": job, "attempt": attempt}


def text_of(error: BaseException) -> str:
    """What an error says, whatever its class does when it is asked."""
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except Exception:
        return type(error).__name__


def _inputs_of(key: str) -> dict[str, str]:
    return dict(decode_key(key)["dependencies_data_versions"])

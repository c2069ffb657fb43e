"""Messages that the TypeScript tests read too: what Python emits has their shape, what it reads are these requests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runtime_process import EXAMPLES, RuntimeProcess

from flowerpower_job_queue.protocol import Cancel, Describe, RequestError, Run, Shutdown, parse_request

GOLDEN = Path(__file__).resolve().parents[2] / "test" / "protocol"
MESSAGES = json.loads((GOLDEN / "messages.json").read_text())
REQUESTS = json.loads((GOLDEN / "requests.json").read_text())
BROKEN = json.loads((GOLDEN / "broken-requests.json").read_text())

# Objects whose keys are the user's own.
FREE = frozenset(
    ("packages", "sources", "params", "run", "config", "tags", "schema", "context", "inputs", "results", "value")
)


def shape(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(place, type) of everything inside a message; a list's items share one place."""
    kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
    key = path.rpartition(".")[2]
    if key == "value":
        return
    yield path, kind
    if isinstance(value, dict):
        for name, item in value.items():
            if key in ("results", "inputs"):
                yield from shape(item, f"{path}.*")
            elif key not in FREE:
                yield from shape(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from shape(item, f"{path}[]")


def name_of(message: dict[str, Any]) -> str:
    return message["body"]["event"] if message["type"] == "event" else message["type"]


def known_shapes() -> dict[str, set[tuple[str, str]]]:
    known: dict[str, set[tuple[str, str]]] = {}
    for message in MESSAGES:
        known.setdefault(name_of(message), set()).update(shape(message))
    return known


def required_keys() -> dict[str, dict[str, set[str]]]:
    """The keys that every object at a place has, by message."""
    found: dict[str, dict[str, set[str]]] = {}
    for message in MESSAGES:
        places = found.setdefault(name_of(message), {})
        for place, keys in objects(message):
            places[place] = places[place] & keys if place in places else keys
    return found


def objects(value: Any, path: str = "") -> Iterator[tuple[str, set[str]]]:
    if isinstance(value, dict) and path.rpartition(".")[2] not in FREE:
        yield path, set(value)
        for name, item in value.items():
            yield from objects(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from objects(item, f"{path}[]")


def test_there_is_a_golden_message_of_every_kind():
    kinds = {message["type"] for message in MESSAGES}
    assert kinds == {"ready", "unready", "project", "describing", "pipeline", "described", "event", "ended", "fault"}
    events = {message["body"]["event"] for message in MESSAGES if message["type"] == "event"}
    nodes = {"node.started", "node.expanded", "node.succeeded", "node.failed", "node.reused"}
    assert events == nodes | {"run.resolved", "log", "log.dropped"}
    assert {request["type"] for request in REQUESTS} == {"describe", "run", "cancel", "shutdown"}


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request['type']} {request.get('id', '')}")
def test_reads_a_golden_request(request_):
    parsed = parse_request(json.dumps(request_))
    kind = {"describe": Describe, "run": Run, "cancel": Cancel, "shutdown": Shutdown}[request_["type"]]
    assert isinstance(parsed, kind)
    if isinstance(parsed, Run):
        assert (parsed.inputs, parsed.final_vars) == (request_["inputs"], request_["finalVars"])
        assert parsed.job.run_dir == request_["job"]["runDir"]
        assert parsed.max_inline_bytes == request_["maxInlineBytes"]
        reuse = request_.get("reuse")
        assert (parsed.reuse is None) == (reuse is None)
        if parsed.reuse is not None:
            assert (parsed.reuse.mode, list(parsed.reuse.scopes)) == (reuse["mode"], reuse["scopes"])
            assert list(parsed.reuse.recompute) == reuse["recompute"]
    if isinstance(parsed, Describe):
        assert (parsed.pipelines, parsed.config) == (request_["pipelines"], request_["config"])


@pytest.mark.parametrize("request_", BROKEN, ids=range(len(BROKEN)))
def test_refuses_a_broken_request(request_):
    with pytest.raises(RequestError):
        parse_request(json.dumps(request_))


def test_what_is_emitted_has_the_shape_of_the_golden_messages(tmp_path):
    reuse = {"mode": "resume", "folder": str(tmp_path / "reuse"), "scopes": [], "recompute": []}
    limits = {"maxEntryBytes": 1_000_000, "minFreeBytes": 0}
    with RuntimeProcess(EXAMPLES / "faults") as runtime:
        runtime.describe()
        for pipeline, inputs in (
            ("branches", {"items": 2}),
            ("fails", {}),
            ("sleeps", {"wrong": 1}),
            ("noisy", {"lines": 11_000}),
            ("kills", {"signal_name": "NONE"}),
        ):
            runtime.run(pipeline, inputs)
        for _ in range(2):
            runtime.run("fails", {"at": "second"}, reuse={**reuse, **limits})
        run = runtime.start("sleeps", {"seconds": 0.1})
        runtime.wait_for_event("log")
        runtime.send(type="cancel", run=run, reason="enough")
        runtime.finish()
        runtime.send_line(b"broken\n")
        messages = runtime.rest()
    known, required = known_shapes(), required_keys()
    seen = set()
    for message in messages:
        name = name_of(message)
        seen.add(name)
        assert set(shape(message)) <= known[name], (name, set(shape(message)) - known[name])
        for place, keys in objects(message):
            assert required[name].get(place, set()) <= keys, (name, place)
    assert seen == set(known) - {"unready"}

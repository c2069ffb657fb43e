"""The inputs that a request may give: type, schema, default and where the default comes from."""

from __future__ import annotations

import json
from typing import Any

from .configuration import Document, has_reference, overlays, publish
from .graph import PipelineGraph
from .jsonschema import json_schema
from .results import describe_result
from .text import clean, shorten
from .type_text import type_text

_MAX_DEFAULT_BYTES = 16 * 1024


def describe_inputs(graph: PipelineGraph, document: Document) -> list[dict[str, Any]]:
    """A PipelineInput of the protocol for each."""
    return [_describe_input(graph, name, document) for name in graph.inputs()]


def _describe_input(graph: PipelineGraph, name: str, document: Document) -> dict[str, Any]:
    default = default_of(graph, name, document)
    annotation = graph.nodes[name].type
    return {
        "name": name,
        "type": type_text(annotation),
        "schema": json_schema(annotation),
        "required": default is None and graph.is_required(name),
        "default": default,
        "doc": graph.doc_of_input(name),
        "usedBy": graph.used_by(name),
    }


def default_of(graph: PipelineGraph, name: str, document: Document) -> dict[str, Any] | None:
    """The default that a run without this input would take; the value stays here when it comes from the environment."""
    variable = overlays("inputs").get(name)
    if variable is not None:
        return {"value": None, "source": f"environment {variable}", "reference": f"${{{variable}}}"}
    written = document.section("run").get("inputs")
    if isinstance(written, dict) and name in written:
        value, source = written[name], document.path or ""
        if has_reference(value):
            reference = value if isinstance(value, str) else json.dumps(publish(value), ensure_ascii=False)
            return {"value": None, "source": source, "reference": clean(reference)}
        return {"value": publish(value), "source": source, "reference": None}
    found, value = graph.default_of(name)
    if not found:
        return None
    described = describe_result(value, "full", _MAX_DEFAULT_BYTES)
    if "value" in described:
        return {"value": described["value"], "source": "code", "reference": None}
    text = described["summary"]["preview"] or described["summary"]["type"]
    return {"value": None, "source": "code", "reference": shorten(text, 500)}

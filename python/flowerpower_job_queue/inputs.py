"""The inputs that a request may give: type, schema, default and where the default comes from."""

from __future__ import annotations

from typing import Any

from .configuration import publish
from .graph import PipelineGraph
from .jsonschema import json_schema
from .origin import CODE, Origins
from .results import describe_result
from .text import shorten
from .type_text import type_text

_MAX_DEFAULT_BYTES = 16 * 1024


def describe_inputs(graph: PipelineGraph, origins: Origins, configured: dict[str, Any]) -> list[dict[str, Any]]:
    """A PipelineInput of the protocol for each. `configured`: the inputs of YAML and environment, resolved."""
    return [_describe_input(graph, name, origins, configured) for name in graph.inputs()]


def _describe_input(graph: PipelineGraph, name: str, origins: Origins, configured: dict[str, Any]) -> dict[str, Any]:
    default = default_of(graph, name, origins, configured)
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


def default_of(graph: PipelineGraph, name: str, origins: Origins, configured: dict[str, Any]) -> dict[str, Any] | None:
    """The default that a run without this input would take; the value stays here when it comes from the environment."""
    origin = origins.of("pipeline", "run", "inputs", name) if name in configured else None
    if origin is not None:
        value = None if origin.reference is not None else publish(configured[name])
        return {"value": value, "source": origin.source, "reference": origin.reference}
    found, value = graph.default_of(name)
    if not found:
        return None
    described = describe_result(value, "full", _MAX_DEFAULT_BYTES)
    if "value" in described:
        return {"value": described["value"], "source": CODE, "reference": None}
    text = described["summary"]["preview"] or described["summary"]["type"]
    return {"value": None, "source": CODE, "reference": shorten(text, 500)}

"""What a project has: its pipelines, their inputs, graphs and settings. Nothing is run; what is broken is told."""

from __future__ import annotations

import difflib
import os
from typing import Any

from flowerpower.cfg import PipelineConfig, ProjectConfig
from flowerpower.cfg.pipeline.run import ExecutorConfig, RetryConfig, RunConfig, WithAdapterConfig

from .adapters import adapter_warnings, describe_adapters
from .configuration import BrokenConfiguration, Document, has_reference, publish
from .errors import InvalidRun, Problem, describe_error, invalid, problem
from .executors import EXECUTORS, LOCAL, describe_executors, executor_hint
from .graph import CyclicGraph, PipelineGraph
from .inputs import describe_inputs
from .project import LoadedPipeline, Project
from .protocol import Channel, Describe, Json
from .retry import written_retry
from .reuse_rules import why_no_reuse
from .settings import Settings, flowerpower_warnings, read_settings

_INTERNAL = ("explicit_overrides",)


def answer_describe(request: Describe, project: Project, channel: Channel) -> None:
    """Answers with the project, then each pipeline as it is known, then the end."""
    os.chdir(project.folder)
    channel.send("project", id=request.id, project=describe_project(project))
    found = project.configuration.pipelines()
    if request.pipelines is None:
        # First, because they cannot fail: a module that hangs below takes nothing from them.
        for pipeline in found:
            if not pipeline.configured:
                channel.send("pipeline", id=request.id, pipeline=_unconfigured(project, pipeline.name))
        names = [pipeline.name for pipeline in found if pipeline.configured]
    else:
        names = request.pipelines
    for name in names:
        # Sent before the import, so that the parent knows which module hangs.
        channel.send("describing", id=request.id, pipeline=name)
        description = describe_pipeline(project, name, request.config, [pipeline.name for pipeline in found])
        # A module that goes elsewhere when it is imported must not take the next ones along.
        os.chdir(project.folder)
        channel.send("pipeline", id=request.id, pipeline=description)
    channel.send("described", id=request.id)


def describe_project(project: Project) -> dict[str, Any]:
    """The project's own YAML and the pipelines that it has, imported or not."""
    pipelines = [{"name": p.name, "configured": p.configured} for p in project.configuration.pipelines()]
    try:
        document = project.configuration.project_document()
        project.check_configuration()
    except BrokenConfiguration as broken:
        settings = read_settings(Document())
        return _project(None, settings, [], invalid(broken.problems), pipelines)
    settings = read_settings(document)
    known = {"": _fields(ProjectConfig), **_adapter_fields(ProjectConfig())}
    warnings = flowerpower_warnings(document, known) if document.path else []
    error = invalid(settings.problems) if settings.problems else None
    name = document.data.get("name")
    return _project(name if isinstance(name, str) else None, settings, warnings, error, pipelines)


def _project(
    name: str | None, settings: Settings, warnings: list[Problem], error: Any, pipelines: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "jobQueue": settings.values,
        "queues": settings.queues,
        "queueDefaults": settings.queue_defaults,
        "warnings": warnings,
        "error": error,
        "pipelines": pipelines,
        "executors": describe_executors(),
    }


def describe_pipeline(project: Project, name: str, config: dict[str, Json] | None, known: list[str]) -> dict[str, Any]:
    """A PipelineDescription of the protocol. Whatever goes wrong is in its `error`."""
    description = _empty(name, "broken", read_settings(Document()))
    if project.configuration.pipeline_file(name) is None:
        nearest = (difflib.get_close_matches(name, known, n=1) or [None])[0]
        return {**description, "error": invalid([problem("pipeline", f"there is no pipeline {name!r}", nearest)])}
    try:
        document = project.configuration.pipeline_document(name)
        settings = read_settings(document)
        description.update(_from_yaml(document, settings))
        if settings.problems:
            return {**description, "error": invalid(settings.problems)}
        loaded = project.load(name)
        description.update(codeHash=loaded.code_hash, modules=loaded.files, doc=_doc(loaded))
        description.update(_from_graph(project, loaded, config))
    except BrokenConfiguration as broken:
        description["error"] = invalid(broken.problems)
    except InvalidRun as refused:
        description["error"] = invalid(refused.problems, refused.hint)
    except CyclicGraph as cycle:
        description["error"] = invalid([problem("graph", str(cycle))])
    except BaseException as error:  # A module may call sys.exit() where it is imported. SIGINT is ignored here.
        description["error"] = describe_error(error, project.folder)
    return description


def _unconfigured(project: Project, name: str) -> dict[str, Any]:
    """A module without a YAML: which code it is, by its text; it is imported only when somebody names it."""
    files, digest = project.code_of(name)
    return {**_empty(name, "unconfigured", read_settings(Document())), "codeHash": digest, "modules": files}


def _empty(name: str, status: str, settings: Settings) -> dict[str, Any]:
    return {
        "name": name,
        "status": status,
        "doc": None,
        "codeHash": None,
        "modules": [],
        "params": {},
        "run": {},
        "finalVars": None,
        "config": {},
        "retry": None,
        "jobQueue": settings.values,
        "inputs": [],
        "graph": None,
        "sources": {},
        "leaves": [],
        "execution": None,
        "warnings": [],
        "error": None,
    }


def _from_yaml(document: Document, settings: Settings) -> dict[str, Any]:
    """What the YAML alone says."""
    config = document.section("run").get("config")
    return {
        "params": publish(document.section("params")),
        "run": publish(document.section("run")),
        "config": publish(config) if isinstance(config, dict) else {},
        "jobQueue": settings.values,
        "warnings": _warnings(document),
    }


def _from_graph(project: Project, loaded: LoadedPipeline, config: dict[str, Json] | None) -> dict[str, Any]:
    """What only the imported code can say."""
    run = loaded.run_config
    merged = {**(run.config or {}), **(config or {})}
    graph = loaded.graph(merged)
    warnings = _warnings(loaded.document) + _graph_warnings(graph, loaded) + _reuse_warnings(project, graph, loaded)
    return {
        "status": "ok",
        "finalVars": _published_final_vars(loaded, graph),
        "config": _published_config(loaded),
        "retry": written_retry(loaded.document, run, loaded.origins),
        "inputs": describe_inputs(graph, loaded.origins, run.inputs or {}),
        "graph": graph.describe(project.folder),
        "sources": graph.sources(project.folder),
        "leaves": graph.leaves(),
        "execution": {
            "asyncDriver": run.async_driver,
            "executor": run.executor.type,
            "unpicklable": graph.unpicklable(),
            "adapters": describe_adapters(run, loaded.adapters),
        },
        "warnings": warnings,
    }


def effective_final_vars(run: Any) -> list[str]:
    """The final variables of YAML and environment. A single one from the environment is text, not a list of letters."""
    final_vars = run.final_vars
    return [final_vars] if isinstance(final_vars, str) else list(final_vars or [])


def _published_final_vars(loaded: LoadedPipeline, graph: PipelineGraph) -> list[str] | None:
    resolved = effective_final_vars(loaded.run_config)
    if not resolved:
        return None
    # The name of a node is no secret; any other text that came from the environment stays here.
    origin = loaded.origins.of("pipeline", "run", "final_vars")
    foreign = origin is not None and origin.reference is not None
    return [name if not foreign or name in graph.nodes else "${…}" for name in resolved]


def _published_config(loaded: LoadedPipeline) -> dict[str, Any]:
    """The config of YAML and environment, what comes from the environment as its reference."""
    published: dict[str, Any] = {}
    for key, value in (loaded.run_config.config or {}).items():
        origin = loaded.origins.of("pipeline", "run", "config", key)
        reference = None if origin is None else origin.reference
        published[key] = publish(value) if reference is None else reference
    return publish(published)


def _doc(loaded: LoadedPipeline) -> str | None:
    doc = loaded.modules[-1].__doc__
    return doc.strip() if doc else None


def _warnings(document: Document) -> list[Problem]:
    if document.path is None:
        return []
    known = {
        "": [key for key in _fields(PipelineConfig) if key != "h_params"],
        "run": [key for key in _fields(RunConfig) if not key.endswith("_raw") and key not in _INTERNAL],
        "run.executor": _fields(ExecutorConfig),
        "run.retry": _fields(RetryConfig),
        "run.with_adapter": _fields(WithAdapterConfig),
        **_adapter_fields(PipelineConfig()),
    }
    warnings = flowerpower_warnings(document, known)
    run = document.section("run")
    if run.get("cache"):
        message = "FlowerPower accepts this and does nothing with it; values are reused where a job asks for it (reuse)"
        warnings.append(problem(f"{document.path}: run.cache", message))
    executor = run.get("executor")
    kind = executor.get("type") if isinstance(executor, dict) else executor
    if isinstance(kind, str) and not has_reference(kind) and kind not in EXECUTORS:
        nearest = (difflib.get_close_matches(kind, EXECUTORS, n=1) or [None])[0]
        place = f"{document.path}: run.executor.type"
        warnings.append(problem(place, f"FlowerPower does not know {kind!r} and runs synchronously", nearest))
    return warnings


def _graph_warnings(graph: PipelineGraph, loaded: LoadedPipeline) -> list[Problem]:
    path = loaded.document.path
    warnings = adapter_warnings(loaded.run_config, path) + _executor_warnings(graph, loaded)
    for name in loaded.run_config.inputs or {}:
        if name not in graph.inputs():
            what = "is computed by the pipeline" if name in graph.nodes else "is no input of the pipeline"
            # YAML reads `on:` as true, and `5:` as a number.
            nearest = (difflib.get_close_matches(str(name), graph.inputs(), n=1) or [None])[0]
            warnings.append(problem(f"{path}: run.inputs.{name}", f"{what}; FlowerPower ignores it", nearest))
    for collect, expanders in graph.endless_collects(graph.computed()):
        message = f"leads back to {', '.join(expanders) or 'no Parallelizable node'}: Hamilton never ends on it"
        warnings.append(problem(f"graph: {collect}", message))
    return warnings


def _reuse_warnings(project: Project, graph: PipelineGraph, loaded: LoadedPipeline) -> list[Problem]:
    """Of reuse that YAML asks for; a request that does is refused."""
    for document in (loaded.document, project.configuration.project_document()):
        asked = read_settings(document).values["reuse"]
        if asked is not None:
            why = why_no_reuse(loaded.adapters, _is_async(graph, loaded))
            place = f"{document.path}: job_queue: reuse"
            return [] if asked == "none" or why is None else [problem(place, f"has no effect: {why}")]
    return []


def _is_async(graph: PipelineGraph, loaded: LoadedPipeline) -> bool:
    written = loaded.run_config.async_driver
    return bool(written) or (written is None and graph.has_coroutines())


def _executor_warnings(graph: PipelineGraph, loaded: LoadedPipeline) -> list[Problem]:
    """Only of an executor that is written: FlowerPower's own default says nothing."""
    written = loaded.document.section("run").get("executor")
    kind = loaded.run_config.executor.type
    if written is None or kind not in EXECUTORS or kind in LOCAL:
        return []
    place = f"{loaded.document.path}: run.executor.type"
    if _is_async(graph, loaded):
        return [problem(place, "has no effect: an async pipeline runs on one event loop")]
    hint = executor_hint(kind)
    if hint is None:
        return []
    return [problem(place, f"{kind} is not installed, so branches are refused; install it with: {hint}", hint)]


def _adapter_fields(config: Any) -> dict[str, list[str]]:
    """The keys of the `adapter:` section and of each adapter in it."""
    sections = {f"adapter.{name}": _fields(getattr(config.adapter, name)) for name in _fields(config.adapter)}
    return {"adapter": _fields(config.adapter), **sections}


def _fields(struct: Any) -> list[str]:
    return list(struct.__struct_fields__)

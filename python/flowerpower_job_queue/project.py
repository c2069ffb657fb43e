"""One FlowerPower project: loaded once, its code always current."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from flowerpower import FlowerPowerProject, settings
from flowerpower.cfg import Config, PipelineConfig, ProjectConfig
from flowerpower.utils.env import get_env_overlays
from flowerpower.utils.security import SecurityError, validate_file_path

from .adapters import methods_of_named
from .code_version import CodeVersions
from .configuration import BrokenConfiguration, Configuration, Document
from .custom_adapters import CustomAdapter, load_custom_adapters
from .errors import InvalidRun, problem
from .graph import PipelineGraph
from .origin import Origins
from .overlays import Overlays
from .settings import read_settings
from .source import ProjectCode, code_hash


@dataclass(frozen=True)
class AdapterSettings:
    """FlowerPower's `adapter:` sections, as it resolves them."""

    project: Any
    pipeline: Any


@dataclass
class LoadedPipeline:
    """A pipeline's modules as they are imported now, and what they were made of."""

    name: str
    modules: list[ModuleType]
    files: list[dict[str, str]]
    code_hash: str
    document: Document
    # FlowerPower's own resolution of YAML and environment, and who has written what of it.
    config: Any
    origins: Origins
    codes: CodeVersions
    adapter_settings: AdapterSettings
    adapters: list[CustomAdapter] = field(default_factory=list[CustomAdapter])
    # What is told of each run and does not depend on its request: made once.
    told: dict[Any, Any] = field(default_factory=dict[Any, Any])
    _graphs: dict[str, PipelineGraph] = field(default_factory=dict[str, PipelineGraph])

    @property
    def run_config(self) -> Any:
        """The `run:` section, resolved."""
        return self.config.pipeline.run

    def graph(self, config: dict[str, Any]) -> PipelineGraph:
        """The graph under a config, built once for each."""
        # Keys of YAML need not be text: `on: 1` has true for a key.
        key = repr(sorted(config.items(), key=lambda item: str(item[0])))
        if key not in self._graphs:
            if len(self._graphs) >= 16:
                self._graphs.clear()
            params = self.document.section("params")
            self._graphs[key] = PipelineGraph(self.modules, config, lambda node: self.codes.of(node, params))
        return self._graphs[key]


class Project:
    """The project that this process serves."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._base_dir = _base_dir(folder)
        self.configuration = Configuration(folder, settings.CONFIG_DIR, settings.PIPELINES_DIR)
        self.code = ProjectCode(folder)
        self.code.install()
        self._codes = CodeVersions(self.code)
        self._flowerpower: FlowerPowerProject | None = None
        self._loaded: dict[str, LoadedPipeline] = {}
        self._imported_under: tuple[bytes | None, ...] | None = None
        self._imported_names: list[str] = []
        # Grows with each import: whether a load has imported anything.
        self.imports = 0
        self._configs: dict[str, tuple[Any, Any, Origins]] = {}

    @property
    def manager(self) -> Any:
        """FlowerPower's pipeline manager."""
        if self._flowerpower is None:
            loaded = FlowerPowerProject.load(self._base_dir)
            if loaded is None:
                raise FileNotFoundError(f"{self.folder} is not a FlowerPower project: conf/ or pipelines/ is missing")
            self._flowerpower = loaded
        return self._flowerpower.pipeline_manager

    def load(self, name: str) -> LoadedPipeline:
        """The pipeline with its current code. Reads it a second time when it is changed while it is being read."""
        file = self.configuration.pipeline_file(name)
        if file is None:
            raise InvalidRun(
                [problem("pipeline", f"there is no pipeline {name!r} in {self.configuration.pipelines_dir}/")]
            )
        document = self.configuration.pipeline_document(name)
        self._forget_if_stale()
        if name in self._loaded and self._loaded[name].run_config.reload:
            # `reload: true` asks for it, whether or not anything has changed.
            self.forget()
        for _ in range(2):
            before = self._files(name, file, document)
            loaded = self._loaded.get(name)
            if loaded is not None and loaded.files == before and loaded.document is document:
                return loaded
            loaded = self._import(name, file, document)
            if loaded.files == before and not self.code.is_stale():
                self._loaded[name] = loaded
                return loaded
            self.forget()
            document = self.configuration.pipeline_document(name)
        raise InvalidRun([problem("pipeline", "its code was changed while it was read, twice")], "Run it again.")

    def code_of(self, name: str) -> tuple[list[dict[str, str]], str]:
        """The files of a pipeline without a YAML and their hash, read and not imported."""
        file = self.configuration.pipeline_file(name)
        files = [] if file is None else self._files(name, file, Document())
        return files, code_hash(files, None)

    def forget(self) -> None:
        """Drops the project's modules: the next load reads them again."""
        self._loaded.clear()
        self.code.forget()
        if self._flowerpower is not None:
            self.manager.registry.clear_cache()

    def forget_executors(self) -> None:
        """Drops FlowerPower's pipeline objects, and with them an executor that a stopped run has left half closed."""
        if self._flowerpower is not None:
            self.manager.registry.clear_cache()

    def config(self, name: str, document: Document) -> tuple[Any, Origins]:
        """FlowerPower's own resolution of the project's and the pipeline's YAML, then environment, with its origins."""
        project = self.configuration.project_document()
        key = (document.raw, project.raw, _environment_key())
        known = self._configs.get(name)
        if known is None or known[0] != key:
            try:
                config = Config.load(base_dir=self._base_dir, pipeline_name=name)
                overlays = self._overlays(name, config)
            except Exception as error:
                self.check_configuration()
                raise BrokenConfiguration(document.path or name, _root_message(error)) from error
            known = (key, config, Origins(document, project, overlays))
            self._configs[name] = known
        return known[1], known[2]

    def _overlays(self, name: str, config: Any) -> Overlays:
        """Those that have an effect: where one does not fit its place, FlowerPower drops the others too."""
        overlays = Overlays()
        for_project, for_pipeline = get_env_overlays()
        for kind, values, load, resolved in (
            (
                "pipeline",
                for_pipeline,
                lambda: PipelineConfig.load(base_dir=self._base_dir, name=name),
                config.pipeline,
            ),
            ("project", for_project, lambda: ProjectConfig.load(base_dir=self._base_dir), config.project),
        ):
            sections = values.get(kind) or {}
            try:
                if sections:
                    load().update(sections)
            except Exception:
                written = load()
                dropped = {key for key in sections if _attribute(resolved, key) == _attribute(written, key)}
                overlays = overlays.without(kind, dropped)
        return overlays

    def check_configuration(self) -> None:
        """Raises BrokenConfiguration when FlowerPower cannot take conf/project.yml, and so none of the pipelines."""
        try:
            ProjectConfig.load(base_dir=self._base_dir)
        except Exception as error:
            path = self.configuration.project_document().path or self.configuration.conf_dir
            raise BrokenConfiguration(path, _root_message(error)) from error

    def _files(self, name: str, file: str, document: Document) -> list[dict[str, str]]:
        root = self.configuration.pipelines_dir.replace("/", ".")
        files = self.code.closure(file, f"{root}.{_module_name(name)}")
        for extra in document.section("run").get("additional_modules") or []:
            path = self.configuration.pipeline_file(extra) if isinstance(extra, str) else None
            if path is not None:
                files += [entry for entry in self.code.closure(path, f"{root}.{extra}") if entry not in files]
        for reference in self._declared_adapters(document)[0]:
            adapter = self.code.module_closure(reference.partition(":")[0])
            files += [entry for entry in adapter if entry not in files]
        return sorted(files, key=lambda entry: entry["file"])

    def _import(self, name: str, file: str, document: Document) -> LoadedPipeline:
        self.imports += 1
        config, origins = self.config(name, document)
        modules = [self._import_additional(extra) for extra in config.pipeline.run.additional_modules or []]
        modules.append(self.manager.registry.load_module(name))
        taken = methods_of_named(config.pipeline.run)
        adapters = load_custom_adapters(*self._declared_adapters(document), self.folder, taken)
        self.code.note_neighbours()
        root = self.configuration.pipelines_dir.replace("/", ".") + "."
        self._imported_names = sorted(module.removeprefix(root) for module in sys.modules if module.startswith(root))
        self._imported_under = self._import_key()
        files = self._files(name, file, document)
        unique = list(dict.fromkeys(modules))
        digest = code_hash(files, document.raw)
        settings = AdapterSettings(config.project.adapter, config.pipeline.adapter)
        return LoadedPipeline(name, unique, files, digest, document, config, origins, self._codes, settings, adapters)

    def _declared_adapters(self, document: Document) -> tuple[list[str], str]:
        """The pipeline's own list, else the project's, and the place where it is."""
        declared = read_settings(document).adapters
        if declared is not None:
            return declared, f"{document.path}: job_queue.adapters"
        project = self.configuration.project_document()
        return read_settings(project).adapters or [], f"{project.path}: job_queue.adapters"

    def _import_additional(self, entry: Any) -> ModuleType:
        """In FlowerPower's order: beside the pipelines first when the name has no dot, then as it is written."""
        if isinstance(entry, ModuleType):
            return entry
        name = _module_name(str(entry))
        root = self.configuration.pipelines_dir.replace("/", ".")
        candidates = [name, f"{root}.{name}"] if "." in name else [f"{root}.{name}", name]
        for candidate in candidates[:-1]:
            try:
                return importlib.import_module(candidate)
            except ModuleNotFoundError as error:
                if error.name is None or not (candidate == error.name or candidate.startswith(f"{error.name}.")):
                    raise
        return importlib.import_module(candidates[-1])

    def _forget_if_stale(self) -> None:
        # Modules read the YAML's params when they are imported, so a changed YAML means importing them again.
        changed = self._imported_under is not None and self._imported_under != self._import_key()
        if changed or self.code.is_stale():
            self.forget()
            self._imported_under = None

    def _import_key(self) -> tuple[bytes | None, ...]:
        """The YAML of everything that is imported."""
        documents = [self.configuration.project_document()]
        for name in self._imported_names:
            try:
                documents.append(self.configuration.pipeline_document(name))
            except BrokenConfiguration:
                continue
        return tuple(document.raw for document in documents if document.raw is not None)


def _base_dir(folder: str) -> str:
    """The folder as FlowerPower takes it: it refuses a path with `&` or `'` in it, but we are in the folder anyway."""
    try:
        validate_file_path(folder)
    except SecurityError:
        return "."
    return folder


def _module_name(name: str) -> str:
    return name.replace("-", "_")


def _attribute(config: Any, name: str) -> str:
    """As text: True is not 1."""
    return repr(getattr(config, name, None))


def _environment_key() -> int:
    return hash(frozenset(os.environ.items()))


def _root_message(error: BaseException) -> str:
    """FlowerPower says only that loading has failed; the reason is in the cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"

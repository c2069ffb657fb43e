"""The project's own code: the files that a pipeline is made of, their hash, and reading them anew when they change."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.machinery
import linecache
import os
import sys
import time
from collections.abc import Iterator
from types import CodeType
from typing import Any

from . import extensions

# Environments and caches inside a project folder are not the project's code.
_FOREIGN_FOLDERS = frozenset(
    ("site-packages", "dist-packages", ".venv", "venv", "node_modules", ".git", ".flowerpower-queue", ".tox")
)


def is_project_file(filename: str, project: str) -> bool:
    """True for a file of the project itself, not of an environment inside its folder."""
    if not os.path.isabs(filename):
        return False  # `<frozen …>`, `<string>`: code that is in no file.
    if not filename.startswith(project + os.sep):
        filename, project = os.path.realpath(filename), os.path.realpath(project)
        if not filename.startswith(project + os.sep):
            return False
    return _FOREIGN_FOLDERS.isdisjoint(filename[len(project) :].split(os.sep))


def path_in_project(filename: str, project: str) -> str:
    """The path of a project's file relative to the project, as one would write it."""
    if filename.startswith(project + os.sep):
        return os.path.relpath(filename, project)
    return os.path.relpath(os.path.realpath(filename), os.path.realpath(project))


class Sources:
    """Hashes of files, read again only when they may have changed."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[tuple[int, int, int, int], str]] = {}

    def sha256(self, path: str) -> str | None:
        """The SHA-256 of a file's content, None when it cannot be read."""
        try:
            stat = os.stat(path)
            # The time of change too, which nobody can put back: `rsync --times` sets the other one.
            key = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            seen = self._seen.get(path)
            if seen is not None and seen[0] == key:
                return seen[1]
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
        except OSError:
            return None
        # A file that has just been written may be written again within the same tick of its clock.
        if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > 2_000_000_000:
            self._seen[path] = (key, digest)
        return digest


class ProjectCode:
    """Imports the project's modules from their source, knows what it has imported, and forgets it on request.

    Bytecode files are neither read nor written for them: a cached file is trusted by whole seconds and size, which is
    not enough for a module that was edited a moment ago, and the project's folder is not ours to write into.
    """

    def __init__(self, project: str) -> None:
        self.project = project
        self.sources = Sources()
        # What was compiled, by file: the hash of exactly these bytes.
        self.imported: dict[str, str] = {}
        # The same of source folders elsewhere.
        self._neighbours: dict[str, str] = {}
        self._holds_distributions: dict[str, bool] = {}
        self._imports: dict[str, tuple[str, list[_Import]]] = {}
        # Packages that were there before the project: ours, FlowerPower's and what they need.
        self._before: frozenset[str] = frozenset()

    def install(self) -> None:
        """Takes over imports from the project's folders."""

        def hook(path: str) -> importlib.machinery.FileFinder:
            # As it is written first: a link that leads out of the project is the project's all the same.
            folder = os.path.abspath(path)
            same = os.path.realpath(folder) == os.path.realpath(self.project)
            if not os.path.isdir(folder) or not (same or is_project_file(folder, self.project)):
                raise ImportError(path)
            extensions = (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES)
            return importlib.machinery.FileFinder(path, extensions, (self._loader(), [".py"]))

        self._before = frozenset(name.partition(".")[0] for name in sys.modules)
        sys.path_hooks.insert(0, hook)
        for entry in list(sys.path_importer_cache):
            if entry.startswith(self.project):
                del sys.path_importer_cache[entry]

    def _loader(self) -> Any:
        code = self

        class ProjectSourceLoader(importlib.machinery.SourceFileLoader):
            """Compiles from source, always."""

            def path_stats(self, path: Any) -> Any:
                raise OSError("bytecode is not cached")

            def source_to_code(self, data: Any, path: Any, *args: Any, **kwargs: Any) -> CodeType:
                code.imported[os.fsdecode(path)] = hashlib.sha256(bytes(data)).hexdigest()
                extensions.load_named_in(bytes(data))
                return super().source_to_code(data, path, *args, **kwargs)

        return ProjectSourceLoader

    def note_neighbours(self) -> None:
        """Notes modules from source folders elsewhere: an editable install, PYTHONPATH. People edit these too."""
        for module in list(sys.modules.values()):
            filename = getattr(module, "__file__", None)
            if not isinstance(filename, str) or filename in self.imported or filename in self._neighbours:
                continue
            digest = self.sources.sha256(filename) if self._is_neighbour(module, filename) else None
            if digest is not None:
                self._neighbours[filename] = digest

    def _is_neighbour(self, module: Any, filename: str) -> bool:
        if not filename.endswith(".py") or str(module.__name__).partition(".")[0] in self._before:
            return False
        installed = any(filename.startswith(os.path.join(prefix, "")) for prefix in {sys.prefix, sys.base_prefix})
        if installed or not _FOREIGN_FOLDERS.isdisjoint(filename.split(os.sep)):
            return False
        # `pip install --target` makes such a folder anywhere.
        depth = str(module.__name__).count(".") + (1 if os.path.basename(filename) == "__init__.py" else 0)
        folder = os.path.dirname(filename)
        for _ in range(depth):
            folder = os.path.dirname(folder)
        return not self._is_installation(folder)

    def _is_installation(self, folder: str) -> bool:
        known = self._holds_distributions.get(folder)
        if known is None:
            try:
                known = any(name.endswith(".dist-info") for name in os.listdir(folder))
            except OSError:
                known = False
            self._holds_distributions[folder] = known
        return known

    def has_imported(self, file: str) -> bool:
        """True for a file of the project or of a neighbour: people edit these."""
        return file in self.imported or file in self._neighbours

    def digests(self) -> dict[str, str]:
        """Hashes of the files that were imported, by path."""
        return {**self._neighbours, **self.imported}

    def is_stale(self) -> bool:
        """True when a file has changed since it was imported."""
        return self._has_changed(self.imported) or self._has_changed(self._neighbours)

    def _has_changed(self, files: dict[str, str]) -> bool:
        return any(self.sources.sha256(path) != digest for path, digest in files.items())

    def forget(self) -> None:
        """Drops every module of the project, so that the next import reads the files again.

        Modules from elsewhere only when one of them has changed: a library may not stand being imported twice.
        """
        neighbours = dict(self._neighbours) if self._has_changed(self._neighbours) else {}
        # All are found before any is dropped: a namespace package asks its parent where it is.
        stale = [
            name
            for name, module in list(sys.modules.items())
            if getattr(module, "__file__", None) in neighbours or self._is_project_module(module)
        ]
        for name in stale:
            del sys.modules[name]
        if neighbours:
            self._neighbours.clear()
        self.imported.clear()
        importlib.invalidate_caches()
        linecache.checkcache()

    def _is_project_module(self, module: Any) -> bool:
        filename = getattr(module, "__file__", None)
        if isinstance(filename, str):
            return filename in self.imported or is_project_file(filename, self.project)
        paths = getattr(module, "__path__", None)
        if paths is None:
            return False
        try:
            return any(is_project_file(os.path.join(path, "x"), self.project) for path in paths)
        except Exception:
            return False

    def closure(self, path: str, module: str) -> list[dict[str, str]]:
        """The module and every module of the project that it imports, directly or not, in the order of their names."""
        found: dict[str, dict[str, str]] = {}
        waiting = [(module, path)]
        while waiting:
            name, file = waiting.pop()
            digest = self.sources.sha256(file)
            if file in found or digest is None:
                continue
            relative = os.path.relpath(file, self.project)
            found[file] = {"name": name, "file": relative, "sha256": digest}
            waiting.extend(self._local_imports(name, file, digest))
        return sorted(found.values(), key=lambda entry: entry["file"])

    def module_closure(self, module: str) -> list[dict[str, str]]:
        """The closure of a module by its name, its packages included; empty when it is not the project's."""
        found = {entry["file"]: entry for name, file in self.find(module) for entry in self.closure(file, name)}
        return list(found.values())

    def _local_imports(self, name: str, file: str, digest: str) -> Iterator[tuple[str, str]]:
        known = self._imports.get(file)
        if known is None or known[0] != digest:
            known = (digest, _imports_of(file))
            self._imports[file] = known
        package = name if os.path.basename(file) == "__init__.py" else name.rpartition(".")[0]
        for item in known[1]:
            target = item.resolve(package)
            if target is not None:
                yield from self.find(target)
                for member in item.members:
                    yield from self.find(f"{target}.{member}" if target else member)

    def find(self, module: str) -> Iterator[tuple[str, str]]:
        """The names and files that importing `module` reads: its packages' `__init__` and itself."""
        parts = module.split(".")
        for root in (self.project, os.path.join(self.project, "pipelines"), os.path.join(self.project, "src")):
            if not any(os.path.exists(os.path.join(root, parts[0]) + end) for end in ("", ".py")):
                continue
            for length in range(1, len(parts) + 1):
                base = os.path.join(root, *parts[:length])
                for candidate in (os.path.join(base, "__init__.py"), base + ".py"):
                    if os.path.isfile(candidate) and is_project_file(candidate, self.project):
                        yield ".".join(parts[:length]), candidate


class _Import:
    """One import statement: `from ..a import b` has level 2, module `a`, members `b`."""

    def __init__(self, level: int, module: str, members: list[str]) -> None:
        self.level, self.module, self.members = level, module, members

    def resolve(self, package: str) -> str | None:
        if self.level == 0:
            return self.module
        parts = package.split(".")
        if self.level - 1 > len(parts):
            return None
        base = ".".join(parts[: len(parts) - (self.level - 1)])
        return f"{base}.{self.module}" if self.module else base


def _imports_of(file: str) -> list[_Import]:
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read(), file)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []
    imports: list[_Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.extend(_Import(0, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imports.append(_Import(node.level, node.module or "", [alias.name for alias in node.names]))
    return imports


def code_hash(modules: list[dict[str, str]], configuration: bytes | None) -> str:
    """SHA-256 over the modules' files and the pipeline's YAML."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(f"{module['file']}\0{module['sha256']}\n".encode(errors="surrogateescape"))
    if configuration is not None:
        digest.update(b"yaml\0" + hashlib.sha256(configuration).digest())
    return digest.hexdigest()

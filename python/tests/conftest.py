from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime_process import EXAMPLES, RuntimeProcess


class ProjectFolder:
    """A FlowerPower project whose pipelines a test writes."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "conf" / "pipelines").mkdir(parents=True)
        (folder / "pipelines").mkdir()
        self.write("conf/project.yml", "name: test\n")

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
        return file

    def pipeline(self, name: str, code: str, yaml: str = "") -> str:
        stem = name.replace(".", "/").replace("-", "_")
        self.write(f"conf/pipelines/{stem}.yml", yaml)
        self.write(f"pipelines/{stem}.py", code)
        return name


class Shared:
    """A project with a runtime that many tests use, one after the other: code is read anew for each run."""

    def __init__(self, folder: Path):
        self.project = ProjectFolder(folder)
        self.runtime = RuntimeProcess(folder).__enter__()

    def run(self, name: str, code: str, yaml: str = "", inputs=None, **changes):
        self.project.pipeline(name, code, yaml)
        return self.runtime.run(name, inputs, **changes)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    shared = Shared(tmp_path_factory.mktemp("shared") / "project")
    yield shared
    shared.runtime.__exit__()


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    return ProjectFolder(tmp_path / "project")


@pytest.fixture(scope="module")
def faults() -> Iterator[RuntimeProcess]:
    with RuntimeProcess(EXAMPLES / "faults") as runtime:
        yield runtime

"""The supported range is one: in the code, in the package's requirements, in what is tested, in what people read."""

import re
import tomllib
from pathlib import Path

import pytest

from flowerpower_job_queue.environment import OLDEST_HAMILTON, REQUIREMENT, SUPPORTED_FLOWERPOWER

PACKAGE = Path(__file__).resolve().parents[1]
LOWEST, ABOVE = SUPPORTED_FLOWERPOWER


def locked(file: str, name: str) -> tuple[int, int]:
    found = re.search(rf"^{name}==(\d+)\.(\d+)", (PACKAGE / file).read_text(), re.MULTILINE | re.IGNORECASE)
    assert found is not None, file
    return int(found[1]), int(found[2])


def test_both_ends_are_tested():
    assert locked("requirements-oldest.lock", "flowerpower") == LOWEST
    assert locked("requirements-oldest.lock", "sf-hamilton") == OLDEST_HAMILTON
    assert locked("requirements.lock", "flowerpower") == (ABOVE[0], ABOVE[1] - 1)


def test_it_is_what_is_required():
    assert f"flowerpower>={LOWEST[0]}.{LOWEST[1]},<{ABOVE[0]}.{ABOVE[1]}" == REQUIREMENT
    hamilton = f"sf-hamilton>={OLDEST_HAMILTON[0]}.{OLDEST_HAMILTON[1]}"
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [REQUIREMENT, hamilton]


@pytest.mark.parametrize("page", ["README.md", "docs/projects.md"])
def test_it_is_what_people_read(page):
    text = " ".join((PACKAGE.parent / page).read_text().split())
    assert f"FlowerPower {LOWEST[0]}.{LOWEST[1]} to {ABOVE[0]}.{ABOVE[1] - 1}" in text

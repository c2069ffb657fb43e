"""What is taken for a secret by its name: TypeScript hides the same, in what it shows."""

import json
from pathlib import Path

import pytest

from flowerpower_job_queue.configuration import is_secret_name

NAMES = json.loads((Path(__file__).resolve().parents[2] / "test" / "protocol" / "secret-names.json").read_text())


@pytest.mark.parametrize("name", NAMES["secret"])
def test_takes_it_for_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", NAMES["plain"])
def test_takes_it_for_none(name: str) -> None:
    assert not is_secret_name(name)

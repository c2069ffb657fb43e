"""Which Python, which FlowerPower: what is supported, and what to install when something is missing."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import sys
from dataclasses import dataclass
from typing import Any

# The test suite runs at both ends (requirements.lock, requirements-oldest.lock). FlowerPower changes its internals from
# one minor version to the next, so a newer one is refused until it has been tried.
SUPPORTED_FLOWERPOWER = ((0, 35), (0, 38))
REQUIREMENT = "flowerpower>=0.35,<0.38"

# Older ones, which FlowerPower takes too, do not tell how many branches a `Parallelizable` node has.
OLDEST_HAMILTON = (1, 87)

_REPORTED = (
    "flowerpower", "apache-hamilton", "sf-hamilton", "pandas", "polars", "numpy", "pyarrow", "pydantic",
    "msgspec", "loguru", "scikit-learn", "ray", "dask",
)  # fmt: skip

# Modules whose distribution has another name, as far as people meet them in pipelines.
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "hamilton": "apache-hamilton",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "pymongo": "pymongo",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


@dataclass(frozen=True)
class Unready:
    """Why this interpreter cannot serve."""

    code: str
    message: str
    hint: str | None


def check_flowerpower() -> Unready | None:
    """Says what is wrong with FlowerPower in this interpreter, or None."""
    install = install_command(REQUIREMENT)
    try:
        version = importlib.metadata.version("flowerpower")
    except importlib.metadata.PackageNotFoundError:
        return Unready("FLOWERPOWER_MISSING", f"FlowerPower is not installed for {sys.executable}.", install)
    lowest, above = SUPPORTED_FLOWERPOWER
    if not lowest <= _release(version) < above:
        supported = f"{lowest[0]}.{lowest[1]} up to, but not including, {above[0]}.{above[1]}"
        message = f"FlowerPower {version} at {sys.executable} is not supported; supported is {supported}."
        return Unready("FLOWERPOWER_UNSUPPORTED", message, install)
    try:
        import flowerpower  # pyright: ignore[reportUnusedImport]  # noqa: F401
    except Exception as error:
        message = f"FlowerPower {version} at {sys.executable} does not import: {type(error).__name__}: {error}"
        return Unready("FLOWERPOWER_MISSING", message, install)
    return _check_hamilton()


def _check_hamilton() -> Unready | None:
    # What is imported, not what is installed: two distributions bring the package, and may both be there.
    from hamilton.version import VERSION

    numbers: tuple[Any, ...] = VERSION
    if numbers[:2] >= OLDEST_HAMILTON:
        return None
    version = ".".join(str(part) for part in numbers)
    oldest = ".".join(str(part) for part in OLDEST_HAMILTON)
    message = f"Hamilton {version} at {sys.executable} is not supported; supported is {oldest} or newer."
    return Unready("FLOWERPOWER_UNSUPPORTED", message, install_command(f"sf-hamilton>={oldest}"))


def packages() -> dict[str, str]:
    """Versions of what matters to a run, by distribution name; `hamilton` under whichever name it is installed."""
    found: dict[str, str] = {}
    for name in _REPORTED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    hamilton = found.pop("apache-hamilton", None) or found.get("sf-hamilton")
    found.pop("sf-hamilton", None)
    if hamilton is not None:
        found["hamilton"] = hamilton
    return found


def install_command(requirement: str) -> str:
    """The command that installs something for exactly this interpreter."""
    return f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(requirement)}"


def hint_for_missing_module(name: str) -> str:
    """The command that installs what provides the module."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        distribution = _DISTRIBUTIONS.get(".".join(parts[:length]))
        if distribution is not None:
            return install_command(distribution)
    return install_command(parts[0].replace("_", "-"))


def _release(version: str) -> tuple[int, int]:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)

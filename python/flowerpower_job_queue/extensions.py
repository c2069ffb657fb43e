"""Hamilton's extensions for other libraries, as a project has them when FlowerPower runs it.

Hamilton would look for two dozen libraries when it is imported, and import each one that is installed: with Spark or a
model hub in the environment that takes longer than everything else together. So this is switched off, and an extension
is loaded when its library is there already, or when a module of the project names it: before that module's code runs,
because decorators look for what they need when they are applied.
"""

from __future__ import annotations

import logging
import os
import re
import sys

# The name by which code speaks of the library, where the extension has another one. FlowerPower itself needs YAML.
_LIBRARIES = {
    "polars_lazyframe": "polars",
    "pyspark_pandas": "pyspark",
    "spark": "pyspark",
    "sklearn_plot": "sklearn",
    "huggingface": "datasets",
}
_WORD = re.compile(rb"[A-Za-z_]\w*")

_waiting: dict[str, bytes] = {}


def switch_off_autoload() -> None:
    """Before Hamilton is imported, which reads this."""
    os.environ["HAMILTON_AUTOLOAD_EXTENSIONS"] = "0"


def load_imported() -> None:
    """Loads the extensions of the libraries that FlowerPower has brought along."""
    from hamilton import registry

    for name in registry.HAMILTON_EXTENSIONS:
        library = _LIBRARIES.get(name, name)
        if library in sys.modules:
            _load(name)
        else:
            _waiting[name] = library.encode()


def load_named_in(source: bytes) -> None:
    """Loads the extensions of the libraries that the source speaks of."""
    if _waiting:
        words = set(_WORD.findall(source))
        for name in [name for name, library in _waiting.items() if library in words]:
            del _waiting[name]
            _load(name)


def _load(name: str) -> None:
    from hamilton import registry

    try:
        registry.load_extension(name)  # pyright: ignore[reportArgumentType]
    except Exception as error:  # The library is not installed, or another version of it.
        logging.getLogger(__name__).debug("Hamilton's extension for %s is not available: %s", name, error)

"""Amounts of memory as people write them: `2GB`, `512MB`, `1.5GiB`, or a number of bytes."""

from __future__ import annotations

import re
from typing import Any

_UNITS = ("kb", "mb", "gb", "tb")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*(?:([kmgt])(i?)b)?", re.IGNORECASE)
_UNFINISHED = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kmgt]i?)", re.IGNORECASE)


def parse_size(value: Any) -> int | None:
    """Bytes; None when it is something else. `GB` counts in thousands, `GiB` in 1024s."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    number, unit, binary = found.groups()
    if unit is None:
        return int(number) if number.isdecimal() else None
    power = 1 + _UNITS.index(f"{unit.lower()}b")
    return round(float(number) * (1024 if binary else 1000) ** power)


def size_that_was_meant(value: Any) -> str | None:
    """`2GB` for `2G`, `512MB` for a bare 512: nobody means so few bytes."""
    text = str(value).strip()
    unfinished = _UNFINISHED.fullmatch(text)
    if unfinished is not None:
        number, unit = unfinished.groups()
        return f"{number}{unit[0].upper()}{unit[1:]}B"
    if not text.isdecimal() or isinstance(value, bool) or not 0 < int(text) < 1_000_000:
        return None
    return f"{text}GB" if int(text) < 64 else f"{text}MB"

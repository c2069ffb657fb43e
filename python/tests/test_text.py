"""Protocol lines, whichever library writes them."""

import json

import numpy as np

from flowerpower_job_queue import text

EVERY_CHARACTER = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF)


def test_text_is_written_as_json_writes_it():
    # A mask looks for a secret as `json` escapes it.
    assert text._to_json(EVERY_CHARACTER) == json.dumps(EVERY_CHARACTER, ensure_ascii=False).encode()


def test_numbers_come_out_as_they_went_in():
    numbers = [0, -1, 2**53, 2**64, 10**30, 0.1, 1e16, 1e-7, 1.7976931348623157e308, 5e-324, -0.0, True, None]
    assert repr(json.loads(text.encode({"numbers": numbers}))["numbers"]) == repr(numbers)


def test_what_postgres_refuses_is_replaced():
    assert json.loads(text.encode({"a\0": ["b\ud800", {"c": "\\u0000"}]})) == {"a\ufffd": ["b\ufffd", {"c": "\\u0000"}]}


def test_subclasses_of_plain_types_are_written_as_these():
    assert text.encode({"a": np.str_("b"), "c": np.float64(1.5)}) == b'{"a":"b","c":1.5}\n'


def test_lines_are_written_where_flowerpower_is_missing(monkeypatch):
    monkeypatch.setattr(text, "_msgspec_encode", None)
    assert text.encode({"a": ["é", 1, None]}) == '{"a":["é",1,null]}\n'.encode()

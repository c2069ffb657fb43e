"""Amounts of memory as people write them."""

import pytest

from flowerpower_job_queue.sizes import parse_size, size_that_was_meant


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (2_000_000_000, 2_000_000_000),
        ("2000000000", 2_000_000_000),
        ("2GB", 2_000_000_000),
        (" 1.5 gb ", 1_500_000_000),
        ("512MB", 512_000_000),
        ("512MiB", 512 * 1024**2),
        ("1TiB", 1024**4),
        ("2G", None),
        ("1.5", None),
        ("GB", None),
        ("two GB", None),
        ("-1GB", None),
        ("1GB2", None),
        (True, None),
        (1.5, None),
        ([2], None),
    ],
)
def test_a_size_is_read_or_refused(written, size):
    assert parse_size(written) == size


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2G", "2GB"),
        ("512m", "512MB"),
        ("2Gi", "2GiB"),
        (2, "2GB"),
        ("512", "512MB"),
        (0, None),
        ("lots", None),
        (True, None),
    ],
)
def test_a_forgotten_unit_is_suggested(written, meant):
    assert size_that_was_meant(written) == meant

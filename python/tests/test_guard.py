"""What is changed in FlowerPower's process, and stays true."""

import sys

from loguru import _better_exceptions

from flowerpower_job_queue.flowerpower_guard import remember_library_folders


def test_loguru_knows_pythons_folders_under_every_path(monkeypatch):
    formatter = _better_exceptions.ExceptionFormatter
    look_up = formatter._get_lib_dirs
    # Put back at the end.
    monkeypatch.setattr(formatter, "_get_lib_dirs", staticmethod(look_up))
    remember_library_folders()
    folders = formatter._get_lib_dirs()
    assert sorted(folders) == sorted(look_up()) != []
    folders.clear()
    assert sorted(formatter._get_lib_dirs()) == sorted(look_up())
    monkeypatch.setattr(sys, "path", [])
    assert formatter._get_lib_dirs() == []

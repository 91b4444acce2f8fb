"""What the engine is told of this suite: which device computes, and what data there are."""

import os
import sys
import types
from pathlib import Path

import pytest

from ams.data.registry import registered
from ams_suite import project
from ams_suite.project import PROJECT
from verdicts.records.workspace import project_at


def fake_torch(works):
    cuda = types.SimpleNamespace(is_available=lambda: works, get_device_name=lambda: "Fake GPU")
    return types.SimpleNamespace(cuda=cuda, get_num_threads=lambda: 3)


@pytest.mark.parametrize("works", [True, False])
def test_the_accelerator_is_what_torch_says_where_there_is_a_driver(monkeypatch, works):
    monkeypatch.setattr(project.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setitem(sys.modules, "torch", fake_torch(works))
    assert PROJECT.accelerator() == ("Fake GPU" if works else None) and PROJECT.threads() == 3


def test_there_is_no_accelerator_without_driver_or_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(project.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert PROJECT.accelerator() is None and PROJECT.threads() == os.cpu_count()
    monkeypatch.setattr(project.shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert PROJECT.accelerator() is None


def test_processes_that_a_run_starts_find_the_same_object():
    assert project_at(PROJECT.place) is PROJECT and PROJECT.registered() == registered()

"""Provenance says where and at what cost; it never stops a run for want of git, /proc or CUDA."""

import mmap
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from verdicts.records import provenance
from verdicts.records.provenance import Stopwatch, cuda_works, environment_of, now


def test_the_environment_names_versions_and_commit():
    root = Path(__file__).resolve().parents[3]
    found = environment_of(root, "cpu")
    commit = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    assert found.commit == (commit.stdout.strip() or None)
    assert found.packages["numpy"] == np.__version__
    assert found.threads >= 1
    assert found.processor


def test_outside_of_git_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = environment_of(tmp_path, "cpu")
    assert (found.commit, found.dirty) == (None, None)
    monkeypatch.setenv("PATH", "")
    assert environment_of(tmp_path, "cpu").commit is None


def test_an_uncommitted_change_is_dirty(tmp_path):
    def git(*words):
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "f").write_text("1")
    git("add", "f")
    git("commit", "-m", "m")
    assert environment_of(tmp_path, "cpu").dirty is False
    (tmp_path / "f").write_text("2")
    assert environment_of(tmp_path, "cpu").dirty is True


def test_peak_memory_sees_what_was_allocated_meanwhile():
    environment = environment_of(Path.cwd(), "cpu")
    before = Stopwatch().provenance(environment, "quick", "c").peak_mib
    watch = Stopwatch()
    with mmap.mmap(-1, 40 * 2**20) as fresh:  # pages of its own: the heap may hold as much free already
        fresh.write(b"1" * (40 * 2**20))
    during = watch.provenance(environment, "quick", "c")
    assert 30 < during.peak_mib - before < 200
    assert 0 <= during.seconds < 60


def test_without_proc_the_process_peak_and_a_name_still_come(monkeypatch):
    def absent(self, *arguments, **more):
        raise FileNotFoundError(self)

    provenance._processor.cache_clear()
    monkeypatch.setattr(Path, "read_text", absent)
    monkeypatch.setattr(Path, "write_text", absent)
    found = Stopwatch().provenance(environment_of(Path.cwd(), "cpu"), "quick", "c")
    assert found.peak_mib > 1
    assert found.processor
    provenance._processor.cache_clear()


def test_times_sort_as_texts():
    first = now()
    assert first < now() or first == now()
    assert first.endswith("+00:00")


def fake_torch(works):
    cuda = types.SimpleNamespace(is_available=lambda: works, get_device_name=lambda: "Fake GPU")
    return types.SimpleNamespace(cuda=cuda, get_num_threads=lambda: 3)


@pytest.mark.parametrize("works", [True, False])
def test_cuda_is_what_torch_says_where_there_is_a_driver(monkeypatch, works):
    monkeypatch.setattr(provenance.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setitem(sys.modules, "torch", fake_torch(works))
    assert cuda_works() is works
    found = environment_of(Path.cwd(), "cuda")
    assert (found.device, found.threads) == ("Fake GPU", 3)


def test_cuda_does_not_work_without_driver_or_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(provenance.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert cuda_works() is False
    monkeypatch.setattr(provenance.shutil, "which", lambda name: None)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert cuda_works() is False


def test_a_package_that_is_not_there_is_left_out(monkeypatch):
    provenance._versions.cache_clear()
    monkeypatch.setattr(provenance, "NUMERICAL", ("numpy", "no-such-package"))
    assert list(environment_of(Path.cwd(), "cpu").packages) == ["numpy"]
    provenance._versions.cache_clear()

"""The paper profile rehearsed on a processor: each architecture, sampler and metric once, killed
and resumed.

Networks are tiny and random, in files with the published names, found by `ams paper-files`; 512
images a cell of the table, of 8 or 16 pixels a side, in features that cost nothing. The bytes of
cells, tables and verdicts are the same with one worker and with three that are killed on their way;
those of two networks' cells are through SLURM.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import torch

from experiments.images.colour.files import WANTED, paper_files
from tests.experiments.images.made import (
    checkpoint,
    ddpm_of_score_sde,
    library_model,
    refinenet_tensors,
    saved,
    small,
)
from tests.verdicts.run.slurm_cluster import SlurmCluster
from tests.verdicts.run.test_runner_faults import ledger
from tests.verdicts.toy import tree

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("AMS_DATA", "/missing"))
STAGES = ("1", "2", "3", "4")
NETWORKS = {
    "cifar10_ncsnpp_continuous": ["PC, Langevin", "PC, adaptive"],
    "cifar10_ddpmpp_continuous": ["PC, Langevin", "PC, adaptive", "reverse diffusion"],
    "cifar10_ddpm": ["ancestral", "PC, constant"],
    "cifar10_ncsn": ["annealed Langevin"],
    "cifar10_ncsnv2": ["adaptive momentum", "constant momentum"],
    "diffusers": ["Heun ODE"],
}
"""The samplers of each network: together all that the paper's tables have."""
SETTINGS = """profile = "paper"
device = "cpu"
[resources]
default = { threads = 1, mem_mb = 1500 }
colour = { threads = 1, mem_mb = 1500, shares = 3 }
[groups.colour]
budgets = [500]
batches = 3
batch = 6
reference = 100
samplers = ["annealed Langevin", "adaptive momentum"]
features = "pixels"
also = []
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "cifar10").is_dir(), reason="AMS_DATA lacks cifar10"),
]


def files() -> dict[str, bytes]:
    """Return each network's file with the published names and layout."""
    ncsnv2 = refinenet_tensors(STAGES)
    sigmas = {"module.sigmas": torch.logspace(1.7, -2, 232)}
    return {
        "cifar10_ncsnpp_continuous": checkpoint(small("ve/cifar10_ncsnpp", 16, 8)),
        "cifar10_ddpmpp_continuous": checkpoint(small("vp/cifar10_ddpmpp", 16, 8)),
        "cifar10_ddpm": checkpoint(ddpm_of_score_sde(8)),
        "cifar10_ncsn": saved([refinenet_tensors(STAGES, 10), {}]),
        "cifar10_ncsnv2": saved(
            [{f"module.{k}": v for k, v in ncsnv2.items()} | sigmas, {}, 1, 1, ncsnv2]
        ),
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings that `ams paper-files` writes for these files, cut to 512 images of 16 pixels
    a side.
    """
    folder = tmp_path_factory.mktemp("files")
    for name, content in files().items():
        place = (
            folder / ("score_sde" if WANTED[name].folder[0] == "v" else "") / WANTED[name].folder
        )
        place.mkdir(parents=True)
        (place / "checkpoint_1.pth").write_bytes(content)
    out = folder / "paper-files.toml"
    assert paper_files(folder, out) == 0
    networks = tomllib.loads(out.read_text())["groups"]["colour"]["networks"]
    library_model(folder / "unet", True)
    weights, config = ("diffusion_pytorch_model.safetensors", "config.json")
    sums = [
        hashlib.sha256((folder / "unet" / name).read_bytes()).hexdigest()
        for name in (weights, config)
    ]
    networks["diffusers"] = {
        "path": str(folder / "unet"),
        "sha256": sums[0],
        "config_sha256": sums[1],
    }
    networks["diffusers"] |= {"largest": 50.0, "reference": "cifar10-test"}
    lines = []
    for name, samplers in NETWORKS.items():
        side, budget = {
            "cifar10_ncsn": (8, 10),
            "cifar10_ncsnv2": (8, 10),
            "diffusers": (8, 4),
        }.get(name, (16, 4))
        cut = networks[name] | {
            "side": side,
            "images": 512,
            "batch": 128,
            "budgets": [budget],
            "samplers": samplers,
        }
        lines += [
            f"[groups.colour.networks.{name}]",
            *(f"{key} = {json.dumps(value)}" for key, value in cut.items()),
        ]
    out.write_text(SETTINGS + "\n".join(lines) + "\n")
    return out


def started(
    settings: Path, root: Path, out: Path, *arguments: str, slurm: SlurmCluster | None = None
) -> subprocess.Popen[str]:
    """Start `reproduce` of the group, as the leader of a process group of its own."""
    command = [
        sys.executable,
        "-m",
        "ams_suite",
        "reproduce",
        "--profile",
        "paper",
        "--only",
        "colour",
    ]
    path = os.pathsep.join([str(root / "src"), str(root)])
    variables = os.environ | {
        "VERDICTS_CONFIG": str(settings),
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
    }
    variables |= slurm.environment if slurm else {}
    return subprocess.Popen(
        [*command, "--out", str(out), *arguments], cwd=root, env=variables, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def ended(run: subprocess.Popen[str], out: Path) -> tuple[object, ...]:
    """Return what has to be the same of a run, at its end: its table, its cells, its verdicts."""
    said, _ = run.communicate(timeout=300)
    assert run.returncode == 0, said
    verdicts = {
        row["id"]: (row["verdict"], row["checks"]) for row in ledger(out, "paper")["claims"]
    }
    return tree(out / "paper" / "figures", ".csv"), tree(out / "cells"), verdicts


@pytest.fixture(scope="module")
def alone(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """What one worker computes."""
    out = tmp_path_factory.mktemp("alone")
    return ended(started(settings, REPOSITORY, out, "--jobs", "1"), out)


def test_each_architecture_sampler_and_metric_is_in_the_table(
    alone: tuple[dict[str, bytes], ...],
) -> None:
    (table,) = alone[0].values()
    rows = [line.split(",") for line in table.decode().splitlines()]
    for name, samplers in NETWORKS.items():
        for sampler in samplers:
            assert any(f"{name}: {sampler}" in ",".join(row) for row in rows), (name, sampler)
    for quantity in ("kernel", "Fréchet", "precision", "recall"):
        assert quantity in table.decode()
    assert b"512" in table


def test_three_workers_that_are_killed_and_resumed_give_the_same_bytes(
    settings: Path, alone: tuple[object, ...], tmp_path: Path
) -> None:
    run = started(settings, REPOSITORY, tmp_path, "--jobs", "3")
    end = time.monotonic() + 120
    while len(tree(tmp_path / "cells")) < 8 and time.monotonic() < end:
        time.sleep(0.2)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    partly = len(tree(tmp_path / "cells"))
    assert 8 <= partly < len(alone[1])
    assert ended(started(settings, REPOSITORY, tmp_path, "--jobs", "3"), tmp_path) == alone


def test_slurm_gives_the_same_bytes(
    settings: Path, alone: tuple[dict[str, bytes], ...], slurm: SlurmCluster, tmp_path: Path
) -> None:
    """Of the first two networks, in a copy whose cluster profile does not wait for a shared file
    system.
    """
    of_two = "[groups.colour.networks.".join(
        settings.read_text().split("[groups.colour.networks.")[:3]
    )
    (few := tmp_path / "few.toml").write_text(of_two)
    root, apart = (
        tmp_path / "copy",
        shutil.ignore_patterns(".git", ".venv", "results", ".*_cache", "__pycache__"),
    )
    shutil.copytree(REPOSITORY, root, ignore=apart)
    profile = root / "config/slurm.toml"
    profile.write_text(profile.read_text().replace("latency = 60", "latency = 5"))
    run = started(few, root, tmp_path / "out", "--cluster", "slurm", slurm=slurm)
    _, cells, _ = ended(run, tmp_path / "out")
    assert len(cells) > 20 and cells.items() <= alone[1].items()

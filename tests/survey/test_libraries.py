"""Code that no package index has: the known bytes alone are executed, and each sampler runs.

What the files import, or what is missing, is said.
"""

import hashlib
import marshal
import os
import struct
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import MAGIC_NUMBER, cache_from_source, find_spec
from pathlib import Path

import pytest

from ams.data import files, registry
from ams.errors import DataUnavailable, UserError
from samplercheck import adapters
from samplercheck.adapters import load
from samplercheck.convergence import converge, two_targets
from samplercheck.judgement import end_distance
from survey import libraries, sources

# Short codes of this project, of the shape that the libraries have.
PREDICTORS = """
import torch, sde_lib
from models.utils import sign
from models import utils as mutils

class Euler:
    pass

def get_predictor(name):
    return {"euler_maruyama": Euler}[name]

def get_corrector(name):
    return {"none": None}[name]

def get_pc_sampler(sde, shape, predictor, corrector, back, snr, continuous, eps, device, probability_flow=False):
    assert mutils.sign is sign and continuous
    def sampler(model):
        model.eval()
        x = sde.prior_sampling(shape)
        for t in torch.linspace(1.0, eps, sde.N):
            vec = torch.ones(shape[0]) * t
            std = sde.marginal_prob(x, vec)[1][:, None, None, None]
            score = sign * model(x, 999 * vec) / std
            beta = 0.1 + 19.9 * t
            mean = x + (beta * x / 2 + beta * score / (2 if probability_flow else 1)) / sde.N
            x = mean if probability_flow else mean + (beta / sde.N).sqrt() * torch.randn_like(x)
        return back(mean), sde.N
    return sampler
"""
PROCESS = """
import torch

class VPSDE:
    def __init__(self, N):
        self.N = N

    def marginal_prob(self, x, t):
        log = -t ** 2 * 19.9 / 4 - t * 0.1 / 2
        return log.exp()[:, None, None, None] * x, (1 - (2 * log).exp()).sqrt()
"""
FUNCTIONS = """
import torchsde
from tqdm.auto import trange
from . import utils
import comfy.model_patcher
import comfy.model_sampling

def get_sigmas_karras(n, low, high):
    return torch.cat([torch.linspace(high ** (1 / 7), low ** (1 / 7), n) ** 7, torch.zeros(1)])

def sample_euler(model, x, sigmas, extra_args=None, disable=None, factor=1.0):
    sampling = model.inner_model.model_patcher.get_model_object("model_sampling")
    assert sampling is model.inner_model.inner_model.model_sampling
    assert isinstance(sampling, comfy.model_sampling.CONST) == (float(sigmas[0]) == 1)
    for i in trange(len(sigmas) - 1, disable=disable):
        d = (x - model(x, sigmas[i] * x.new_ones(len(x)), **extra_args)) / utils.append_dims(sigmas[i], x.ndim)
        x = x + factor * (sigmas[i + 1] - sigmas[i]) * d
    return x
"""
SAMPLING = """
import torch
from comfy.ldm.modules.diffusionmodules.util import make_beta_schedule

class EPS: pass

class CONST: pass

class ModelSamplingDiscreteFlow(torch.nn.Module):
    def set_parameters(self, shift):
        self.shift = shift

    def sigma(self, timestep):
        return self.shift * timestep / 1000 / (1 + (self.shift - 1) * timestep / 1000)
"""
HEUN = """
import click
import dnnlib
from torch_utils import distributed as dist
import torch

@click.command()
def main(): pass

def edm_sampler(net, latents, num_steps=18, power=7.0, S_churn=0):
    print("noise")
    i = torch.arange(num_steps)
    t = (80 ** (1 / power) + i / (num_steps - 1) * (0.002 ** (1 / power) - 80 ** (1 / power))) ** power
    t = torch.cat([t, torch.zeros(1)])
    x = latents * t[0]
    for n, (a, b) in enumerate(zip(t[:-1], t[1:])):
        d = (x - net(x, a)) / a
        y = x + (b - a) * d
        x = y if n == num_steps - 1 else x + (b - a) * (d + (y - net(y, b)) / b) / 2
    return x
"""
CODES = {
    "edm": HEUN,
    "score-sde": PREDICTORS,
    "score-sde-lib": PROCESS,
    "score-sde-utils": "import sde_lib\nsign = -1.0\n",
    "comfyui": f"import torch\n{FUNCTIONS}",
    "comfyui-utils": (
        "def append_dims(value, n):\n    return value[(...,) + (None,) * (n - value.ndim)]\n"
    ),
    "comfyui-deis": "",
    "comfyui-sa-solver": "",
    "comfyui-uni-pc": "",
    "comfyui-model-sampling": SAMPLING,
}
COMMIT = "0123456789abcdef"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Register the codes above, those of ComfyUI without an address, and yield the folder that
    has them.
    """
    entries = {}
    (tmp_path / "code").mkdir()
    for name, code in CODES.items():
        (tmp_path / f"code/{name}.py").write_text(code, encoding="utf-8")
        digest = hashlib.sha256(code.encode()).hexdigest()
        address = (
            None if name.startswith("comfyui") else f"https://a.b/owner/name/{COMMIT}/{name}.py"
        )
        file = registry.File(f"code/{name}.py", digest, len(code), address)
        origin = f"https://c.d/owner/name/tree/{COMMIT}"
        entries[name] = registry.Entry(
            title="",
            contents=digest,
            files=(file,),
            licence="",
            origin=origin,
            obtain=f"copy {name}",
        )
    monkeypatch.setattr(files, "ENTRIES", entries)
    monkeypatch.setattr(registry, "CODE", entries)
    for name, value in {
        "AMS_DATA": tmp_path,
        "AMS_OFFLINE": 1,
        "AMS_CACHE": tmp_path / "cache",
    }.items():
        monkeypatch.setenv(name, str(value))
    sources.registered.cache_clear()
    yield tmp_path / "code"
    sources.registered.cache_clear()


def test_files_import_each_other_and_leave_nothing_behind(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = object()
    monkeypatch.setitem(sys.modules, "sde_lib", own)
    names = {
        "models",
        "models.utils",
        "comfy",
        "comfy.k_diffusion",
        "comfy.model_sampling",
        "sde_lib",
    }
    before = {name: sys.modules.get(name) for name in names}
    assert sources.registered("score-sde").sde_lib is sources.registered("score-sde-lib")
    assert sources.registered("comfyui").comfy.model_sampling is sources.registered(
        "comfyui-model-sampling"
    )
    assert {name: sys.modules.get(name) for name in names} == before, (
        "a user's own module of that name is back"
    )


def test_a_registered_file_is_tested_as_it_is(
    mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sampler = load("edm:edm_sampler", {"power": 5.0})
    assert sampler.version == COMMIT[:8] and sampler.order == 2 and sampler.data_std == 0.5
    order = converge(sampler, two_targets(sampler.data_std))[0].order
    assert order is not None and order.value == pytest.approx(2, abs=0.2)
    assert capsys.readouterr().out == "", "what the library prints is dropped"
    assert "click" not in sys.modules or hasattr(sys.modules["click"], "__version__"), (
        "a stand-in was left behind"
    )


def test_other_bytes_are_refused_and_absence_is_no_failure(mirror: Path) -> None:
    (mirror / "edm.py").write_text(HEUN + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="edm"):
        load("edm:edm_sampler")
    (mirror / "edm.py").unlink()
    with pytest.raises(DataUnavailable):
        load("edm:edm_sampler")


def test_predictors_of_the_flow_and_of_the_reverse_sde(mirror: Path) -> None:
    flow = load("score-sde:euler_maruyama", {"probability_flow": True})
    assert (flow.version, flow.order, flow.noise) == (COMMIT[:8], 1, 0.0)
    order = converge(flow, two_targets(1.0))[0].order
    assert order is not None and order.value == pytest.approx(1, abs=0.3)
    noisy = load("score-sde:euler_maruyama")
    assert noisy.noise == 1.0 and end_distance(noisy, two_targets(1.0), 100) < 0.2


def test_functions_on_both_kinds_of_states(mirror: Path) -> None:
    for settings in (
        {},
        {"mesh": "karras", "sigma_max": 20.0},
        {"model": "flow"},
        {"model": "flow", "shift": 1.0},
    ):
        euler = load("comfyui:sample_euler", settings)
        assert euler.version == COMMIT[:8] and end_distance(euler, two_targets(1.0), 100) < 0.15, (
            settings
        )
    assert (
        end_distance(load("comfyui:sample_euler", {"factor": 0.5}), two_targets(1.0), 100) > 0.3
    ), "it is passed on"


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("score-sde:euler", {}, "unknown sampler of score-sde 'euler'"),
        (
            "score-sde:euler_maruyama",
            {"sdes": "vp"},
            "unknown setting of score-sde 'sdes': did you mean sde",
        ),
        ("score-sde:euler_maruyama", {"sde": "vpp"}, "unknown sde 'vpp'"),
        (
            "score-sde:ancestral_sampling",
            {"sde": "subvp"},
            "for the reverse SDE of vp and ve alone",
        ),
        ("comfyui:sample_euler", {"model": "v"}, "unknown model 'v'"),
        ("comfyui:sample_euler", {"shifted": 1.0}, "unknown setting of sample_euler 'shifted'"),
    ],
)
def test_what_is_not_there_is_told_in_a_line(
    mirror: Path, name: str, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(UserError) as refused:
        load(name, settings)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_the_file_that_is_missing_is_named(mirror: Path) -> None:
    assert adapters.installed("comfyui") == COMMIT[:8]
    (mirror / "comfyui-deis.py").unlink()
    assert adapters.installed("comfyui") is None
    with pytest.raises(DataUnavailable, match="the code of comfyui is missing: copy comfyui-deis"):
        adapters.release("comfyui")


EACH = [f"{name}:{kind}" for name, samplers in libraries.MORE.items() for kind in samplers]
DEFECTS = {  # whose ends are far off or not finite; docs/finds says which
    "willisma/SiT:sample_sde",
    "baofff/U-ViT:euler_maruyama SDE vpsde_cosine",
    "lucidrains/rectified-flow-pytorch:SoFlow clean",
}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of one file that stands for a repository."""
    place = tmp_path / "code" / "more" / "owner+name"
    place.mkdir(parents=True)
    (place / "sampling.py").write_text("import no_such_module\nvalue = 1\n", encoding="utf-8")
    monkeypatch.setenv("AMS_DATA", str(tmp_path))
    monkeypatch.setitem(sources.COMMITS, "owner/name", "0" * 40)
    monkeypatch.setitem(
        sources.CHECKSUMS, "owner/name", sources.digest(place, sources.contents(place))
    )
    monkeypatch.setitem(adapters.OTHERS, "owner/name", sources.adapter("owner/name", {}))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "path_hooks", [*sys.path_hooks])
    sources.folder.cache_clear()
    sources.code.cache_clear()
    return place


def test_listed_bytes_are_executed_with_stand_ins(copied: Path) -> None:
    assert sources.code("owner/name", "sampling.py", "no_such_module").value == 1
    assert not list(copied.rglob("__pycache__"))


def forged_cache(file: Path) -> None:
    """Put a cache of other code beside a file, with the file's own time and size, as a forger
    would have it.
    """
    cache = Path(cache_from_source(str(file)))
    cache.parent.mkdir()
    about = file.stat()
    head = MAGIC_NUMBER + struct.pack("<III", 0, int(about.st_mtime), about.st_size)
    cache.write_bytes(head + marshal.dumps(compile("value = 2", str(file), "exec")))


def test_bytecode_beside_listed_bytes_is_not_executed(copied: Path) -> None:
    forged_cache(copied / "sampling.py")
    assert sources.code("owner/name", "sampling.py", "no_such_module").value == 1


def test_a_module_that_a_listed_one_imports_is_compiled_of_its_listed_bytes(
    copied: Path, monkeypatch
) -> None:
    """Neither a cache beside it nor what lies there once it was read has a say."""
    (copied / "sampling.py").write_text("from imported_by_listed import value\n", encoding="utf-8")
    other = copied / "imported_by_listed.py"
    other.write_text("value = 1\n", encoding="utf-8")
    listed = sources.digest(copied, sources.contents(copied))
    monkeypatch.setitem(sources.CHECKSUMS, "owner/name", listed)
    forged_cache(other)
    sources.folder("owner/name")
    other.write_text("value = 3\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "imported_by_listed", raising=False)
    assert sources.code("owner/name", "sampling.py").value == 1


def test_a_folder_that_a_link_brings_in_is_not_executed(copied: Path, tmp_path: Path) -> None:
    """It would come before an installed package of its name."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/__init__.py").write_text("raise SystemExit", encoding="utf-8")
    (copied / "linked_from_elsewhere").symlink_to(tmp_path / "elsewhere")
    sources.importable("owner/name")
    with pytest.raises(ImportError, match="not among the files that were checked"):
        import_module("linked_from_elsewhere")


def test_a_pipe_is_no_module_and_keeps_nobody_waiting(copied: Path) -> None:
    os.mkfifo(copied / "pipe.py")
    sources.importable("owner/name")
    with pytest.raises(ImportError):
        import_module("pipe")


def test_a_huge_file_is_refused_before_it_is_read(copied: Path) -> None:
    (copied / "other.py").open("wb").truncate(10 * 2**30)
    with pytest.raises(DataUnavailable, match="owner/name is missing or another"):
        sources.folder("owner/name")


@pytest.mark.parametrize("suffix", [".pyc", EXTENSION_SUFFIXES[0]])
def test_what_is_compiled_counts_among_the_bytes(copied: Path, suffix: str) -> None:
    (copied / f"sampling{suffix}").write_bytes(b"another's")
    with pytest.raises(DataUnavailable, match="owner/name is missing or another"):
        sources.folder("owner/name")


def test_other_bytes_are_refused(copied: Path) -> None:
    (copied / "sampling.py").write_text("raise SystemExit", encoding="utf-8")
    with pytest.raises(
        DataUnavailable, match=r"owner/name is missing or another: copy the files of .* at 0{40}"
    ):
        sources.folder("owner/name")
    assert adapters.installed("owner/name") is None


@pytest.mark.parametrize("name", EACH)
def test_a_sampler_takes_noise_to_the_data(name: str) -> None:
    library = name.partition(":")[0]
    if adapters.installed(library) is None:
        pytest.skip(f"the files of {library} are missing")
    if not all(find_spec(package) for package in ("diffusers", "k_diffusion", "torchdiffeq")):
        pytest.skip("diffusers, k-diffusion or torchdiffeq is not installed")
    sampler = adapters.load(name)
    distance = end_distance(sampler, two_targets(sampler.data_std), 16)
    assert (distance < 2.5) is (name not in DEFECTS)
    with pytest.raises(UserError, match="takes no settings here"):
        adapters.load(name, {"a": 1})

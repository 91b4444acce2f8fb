"""A table of where the time of packed graph sampling goes."""

from contextlib import suppress

from torch.autograd.profiler import profile

from ams.errors import DataUnavailable
from experiments.benchmarks.graph_runs import Problem, own_problem, packed_run, published_problem
from experiments.benchmarks.settings import Settings
from experiments.benchmarks.timing import Work, undisturbed
from verdicts import Table

KINDS = {
    "matrix products": ("aten::bmm", "aten::addmm", "aten::mm"),
    "tanh, elu": ("aten::tanh_", "aten::tanh", "aten::elu_", "aten::elu"),
    "sums, scaling": ("aten::sum", "aten::mul", "aten::mul_", "aten::div", "aten::add", "aten::add_", "aten::rsqrt"),
    "to and from squares": ("aten::index_select", "aten::index_copy", "aten::index_copy_", "aten::copy_", "aten::cat"),
    "noise": ("aten::normal_",),
}
CAPTION = (
    "Share of the CPU time of each kind of operation in a packed run, per cent (torch's profiler; Python's own time is"
    " not counted)."
)


def time_by_kind(work: Work) -> dict[str, float]:
    """Return the share of the CPU time of `work` by kind of operation, `others` last, from torch's profiler."""
    with undisturbed(), profile() as profiled:
        work()
    spent = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    total = sum(spent.values())
    shares = {kind: sum(spent.get(name, 0.0) for name in names) / total for kind, names in KINDS.items()}
    return shares | {"others": 1.0 - sum(shares.values())}


def _problems(settings: Settings) -> dict[str, Problem]:
    problems = {"community_small, ours": own_problem(settings.graph_batches["community_small"], settings)}
    for name in ("ego_small", "ENZYMES"):
        with suppress(DataUnavailable):
            problems[name] = published_problem(name, settings.graph_batches[name], settings.graph_steps, settings.seed)
    return problems


def tables(settings: Settings) -> list[Table]:
    """Return the table of CPU time by kind of operation and data set; a data set without its files is left out."""
    shares = {}
    for name, problem in _problems(settings).items():
        run = packed_run(problem)
        run()
        shares[name] = time_by_kind(run)
    rows: tuple[tuple[str | float, ...], ...] = tuple(
        (kind, *(round(100 * column[kind], 1) for column in shares.values())) for kind in (*KINDS, "others")
    )
    return [Table(id="time_graphs_profile", caption=CAPTION, header=("", *shares), rows=rows, claims=("T7", "T8"))]

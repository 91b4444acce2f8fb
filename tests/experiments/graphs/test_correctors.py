"""Correctors on every set: made graphs and molecules in the place of samples, and what flips the
verdicts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ams_suite.__main__ import main
from ams_suite.project import PROJECT
from experiments.graphs.correctors import checks, figures, study
from experiments.graphs.correctors.configurations import (
    ADAPTIVE,
    ADAPTIVE_IN_BOTH,
    LANGEVIN,
    MOLECULES,
    NAMES,
    PREDICTOR,
    PUBLISHED_ROWS,
    SAMPLERS,
    plan,
    samplers_of,
)
from experiments.graphs.correctors.figures import tables
from experiments.graphs.correctors.settings import SetSizes, Settings
from experiments.graphs.correctors.study import Common, SamplerRun
from experiments.graphs.data import community_small, split, to_graph6
from experiments.graphs.gdss_tables import study as gdss_tables
from experiments.graphs.gdss_tables.rows import row
from experiments.graphs.generation import PUBLISHED, generate
from experiments.graphs.molecules.study import Sample
from experiments.graphs.statistics import PUBLISHED as STATISTICS
from tests.claims import ROOT, claim_of, claims, upheld, verdict_of
from tests.experiments.graphs.made import disturbed
from verdicts import InsufficientData, Unavailable
from verdicts.claims.schema import Profile, Verdict
from verdicts.errors import UserError
from verdicts.records.figures import SHOWN, saved_as
from verdicts.records.workspace import Workspace
from verdicts.studies import Cell, Memory, using
from verdicts.studies.study import store_of

pytest.importorskip("rdkit")

FEW = SetSizes(graphs=24, batch=2)
ROWS = FEW.model_copy(update={"published": 2})
MADE = ROWS.model_copy(update={"real": 40})
SETTINGS = Settings(
    community_small=FEW, ego_small=FEW, enzymes=ROWS, grid=FEW, qm9=MADE, zinc250k=MADE, draws=200
)
"""Sizes of graphs, of those with a published row, and of molecules."""
CHAINS = [
    "C" * n + end
    for n in range(1, 11)
    for end in ("O", "N", "F", "C=O", "C#N", "OC", "NC", "C=C", "CCl", "S")
]
"""The real molecules here."""
Looks = Mapping[str, float]
"""The share of a sampler's graphs or molecules that are not of the distribution, by its name."""
Put = Callable[..., None]


def made_graphs(common: Common, number: int, share: float) -> Sample:
    """Graphs of our generator with a share of their pairs flipped, the same pairs for every
    sampler.
    """
    graphs = disturbed(community_small(common.graphs, 100 + number), share, seed=number)
    return Sample([True] * common.graphs, [to_graph6(graph) for graph in graphs])


def made_molecules(common: Common, number: int, share: float) -> Sample:
    """Real molecules, a share of them replaced by one that is unlike them all, invalid before
    its correction.
    """
    generator = np.random.default_rng(number)
    bad = generator.random(common.graphs) < 4 * share
    drawn = generator.choice(CHAINS, common.graphs)
    lines = [
        "BrC(Br)(Br)Br" if wrong else str(line) for wrong, line in zip(bad, drawn, strict=True)
    ]
    return Sample([not wrong for wrong in bad.tolist()], lines)


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Return a function that puts made samples in the place of runs; the lists are our own, so
    no file is needed.
    """
    real = split(community_small(100, seed=4))
    for module in (study, gdss_tables):
        monkeypatch.setattr(module, "published", lambda name: real)
    monkeypatch.setattr(study.molecules, "smiles", lambda name: CHAINS)
    monkeypatch.setattr(study, "smiles", lambda name: CHAINS)
    monkeypatch.setattr(
        study.molecules, "chemnet_distances", lambda reference, sets: [None for _ in sets]
    )

    def place(looks: Looks, rest: float = 0.05) -> None:
        def outcomes(common: Common, run: SamplerRun) -> list[Sample]:
            make = made_molecules if common.name in MOLECULES else made_graphs
            return [
                make(common, number, looks.get(run.sampler, rest)) for number in range(run.seeds)
            ]

        monkeypatch.setattr(study, "outcomes_of", outcomes)
        stack.enter_context(using(Memory()))

    with ExitStack() as stack:
        yield place


def verdicts(*identifiers: str) -> set[Verdict]:
    return {verdict_of(claim_of(name), name, SETTINGS) for name in identifiers}


SMALL, LARGE = ("community_small", "ego_small", "qm9"), ("enzymes", "grid", "zinc250k")
LANGEVINS = (*(f"V15.{name}" for name in SMALL), *(f"V19.{name}" for name in LARGE))
INTENDED = tuple(f"V17b.{name}" for name in ("ego_small", "qm9", *LARGE))
SMALL_PREDICTORS = ("V16.community_small", "V16.ego_small")
PREDICTORS = ("V16.qm9", *(f"V19a.{name}" for name in LARGE))
GAIN, LOSS = (
    {ADAPTIVE.name: 0.0, ADAPTIVE_IN_BOTH.name: 0.0},
    {ADAPTIVE.name: 0.2, ADAPTIVE_IN_BOTH.name: 0.2},
)


def test_gains_and_losses_are_told_set_by_set(put: Put) -> None:
    """Falsifier of V15, V15a, V16, V16a, V17b, V19 and V19a: adaptive samples far from the
    distribution.

    Then the others are. Two that are alike within a margin are neither nearer nor farther.
    """
    alike = {*LANGEVINS, *INTENDED, *SMALL_PREDICTORS}
    put(LOSS, rest=0.0)
    assert verdicts(*PREDICTORS) == verdicts(*alike) == {Verdict.REFUTED}
    with upheld("V19a", settings=SETTINGS):
        put(GAIN, rest=0.2)
    assert verdicts(*PREDICTORS) == {Verdict.HOLDS} and verdicts(*alike) == {Verdict.REFUTED}
    put({})
    assert verdicts(*alike) == {Verdict.HOLDS}
    put({LANGEVIN.name: 0.0, PREDICTOR.name: 0.25, ADAPTIVE.name: 0.15})
    assert verdicts("V15.ego_small", "V19.grid") == {Verdict.REFUTED}
    assert verdicts("V19a.grid") == {Verdict.HOLDS}


def test_a_gain_is_excluded_only_where_the_corrector_brings_something(put: Put) -> None:
    """Falsifier of V15.excluded: as near as Langevin, nearer; then a corrector that brings
    nothing.
    """
    put({PREDICTOR.name: 0.2, LANGEVIN.name: 0.1, ADAPTIVE.name: 0.1})
    assert verdicts("V15.excluded") == {Verdict.HOLDS}
    put({PREDICTOR.name: 0.2, LANGEVIN.name: 0.1, ADAPTIVE.name: 0.0})
    assert verdicts("V15.excluded") == {Verdict.REFUTED}
    put({})
    with pytest.raises(
        InsufficientData, match="QM9: Langevin's corrector brings nothing that is clear"
    ):
        checks.gain_not_excluded(study.table_of(SETTINGS), "QM9")


@pytest.mark.parametrize(
    "name", [pytest.param("V15", marks=pytest.mark.long), "V15a", "V17b", "V19"]
)
def test_margins_are_a_tenth_of_what_the_corrector_changes(name: str, tmp_path: Path) -> None:
    """To two digits, from the kept cells; QM9's by hand alone, since its molecules take long."""
    workspace = Workspace.open(ROOT, Profile.FULL, tmp_path, PROJECT)
    settings = Settings(**workspace.config.settings_of("correctors"))
    claim = next(claim for claim in claims().claim if claim.id == name)
    with using(store_of(workspace)):
        table = study.table_of(settings)
        for check in (check for check in claim.check if check.is_query):
            brought = checks.gain(table, check.arguments["data"], LANGEVIN, PREDICTOR)
            assert check.tolerance == pytest.approx(abs(brought.value) / 10, rel=0.02), check.id


def test_fewer_evaluations_would_make_v21_hold(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V21: adaptive graphs are Langevin's after equal evaluations, then those after
    twice as many.
    """
    sizes = FEW.model_copy(update={"steps": (50, 100, 200), "graphs": 40})
    settings = SETTINGS.model_copy(update={"community_small": sizes})
    langevin = {100: 0.3, 200: 0.1, 400: 0.0}
    put({})

    def run_as(times: int) -> None:
        def outcomes(common: Common, run: SamplerRun) -> list[Sample]:
            more = times if run.sampler == ADAPTIVE.name else 1
            share = langevin[more * run.evaluations]
            return [made_graphs(common, number, share) for number in range(run.seeds)]

        monkeypatch.setattr(study, "outcomes_of", outcomes)

    run_as(1)
    with upheld("V21", settings=settings):
        factor = checks.evaluations_of_langevin(
            study.table_of(settings), settings, "community_small", 100
        )
        assert (factor.value, factor.low, factor.high) == pytest.approx((1.0, 1.0, 1.0), abs=1e-9)
        put({})
        run_as(2)
    with pytest.raises(
        Unavailable, match=r"not run with more than 200 evaluations: groups\.correctors"
    ):
        checks.evaluations_of_langevin(study.table_of(SETTINGS), SETTINGS, "community_small", 200)


def test_other_samples_break_v20(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falsifier of V20: published rows of the samples' own distribution, then samples of another
    one.
    """
    names = ("V20.enzymes", "V20.qm9", "V20.zinc250k")
    real = split(community_small(100, seed=4))
    kernels = [
        statistic.kernel([*real.test, *community_small(200, seed=5)]) for statistic in STATISTICS
    ]
    values = tuple(row(k, 20, 20, seed=0).mean.value for k in kernels)
    monkeypatch.setitem(gdss_tables.ROWS, "ENZYMES", values)
    for name in MOLECULES:
        monkeypatch.setitem(
            PUBLISHED_ROWS,
            name,
            PUBLISHED_ROWS[name]._replace(values={"valid": 0.99, "NSPDK": 0.0}),
        )
    put({}, rest=0.0)
    assert verdicts(*names) == {Verdict.HOLDS}
    put({}, rest=0.2)
    assert verdicts(*names).isdisjoint({Verdict.HOLDS})
    wrong = Sample([False] * 24, ["K~~~~~~~~~~~"] * 24)
    monkeypatch.setattr(study, "outcomes_of", lambda common, run: [wrong] * run.seeds)
    with using(Memory()):
        assert verdicts("V20.enzymes") == {Verdict.REFUTED}


def test_what_is_not_run_is_named() -> None:
    with pytest.raises(
        UserError, match=r"no row of data = 'grid', .*; data can be QM9, community_small, ego_small"
    ):
        checks.gain_not_excluded(study.table_of(Settings()), "grid")
    with pytest.raises(
        UserError, match=r"no row of data = 'QM9', .* budget = 2000; budget can be 200"
    ):
        checks.stray_of_molecules(study.table_of(Settings()), Settings(), "QM9")


def test_all_samplers_of_a_row_have_equal_evaluations() -> None:
    """Counted in the plan: a step of one state is an evaluation of its network."""
    for name in NAMES:
        for sampler in samplers_of(name):
            run = plan(name, sampler.name, 20)
            assert sum(run.rounds) == 20 == len(list(run.adjacency)), (name, sampler.name)


@pytest.mark.parametrize("name", NAMES)
def test_the_published_sampler_is_the_one_of_the_published_settings(
    authors_files: None, name: str
) -> None:
    """Bit by bit, with one batch: GDSS's own predictor, corrector, snr and noise scale are those
    of `plan`.
    """
    setting, nodes = PUBLISHED[name], [7, 5, 9, 6]
    steps = 4
    evaluations = steps * SAMPLERS[PUBLISHED_ROWS[name].sampler].evaluations
    ours = study.generated(name, PUBLISHED_ROWS[name].sampler, evaluations, nodes, 4, 3)
    theirs = generate(setting, setting.networks(), steps, nodes, 3)
    assert (ours.features == theirs.features).all() and (ours.adjacency == theirs.adjacency).all()


def test_the_table_lists_every_cell_that_is_read(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put({})
    few = {name.lower(): sizes.model_copy(update={"graphs": 12}) for name, sizes in SETTINGS.sets()}
    settings = SETTINGS.model_copy(update=few | {"ego_small": None})
    listed = {str(cell) for cell in study.table_of(settings).cells}
    assert sum(".outcome(" in name for name in listed) == 2 * (5 * 5 + 2 + 3), (
        "two seeds; three published rows"
    )
    read = Memory.value

    def value(store: Memory, cell: Cell[Any]) -> Any:
        assert str(cell) in listed or ".known(" in str(cell), (
            f"{cell} is read, and not in the table"
        )
        return read(store, cell)

    monkeypatch.setattr(Memory, "value", value)
    with saved_as(SHOWN):
        figures.figures(settings, tmp_path)
        tables(settings)
        checks.stray_of_graphs(study.table_of(settings), settings, "ENZYMES")
        for name in MOLECULES:
            checks.stray_of_molecules(study.table_of(settings), settings, name)
    header = study.table_of(settings).written(lambda cell: True).splitlines()[0]
    assert header.startswith(
        "data,sampler,budget,graphs,seeds,mmd,mmd.low,mmd.high,mmd.n,degree,degree.low"
    )


def test_one_row_by_itself(
    authors_files: None, fresh_cells: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["correct-graphs", "ego_small", "4", "--graphs", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        "ego_small: squared MMD after 4 score evaluations, 4 graphs" in lines[0] and len(lines) == 6
    )
    assert main(["correct-graphs", "ego_small", "5", "--graphs", "4"]) == 2
    assert "5 evaluations" in capsys.readouterr().err

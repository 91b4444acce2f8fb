"""A kept cell of each function agrees with what is computed here. CI asks this as on a processor
without AVX.
"""

from pathlib import Path

import pytest

from ams_suite.project import PROJECT
from tests.claims import ROOT
from verdicts.claims.schema import Profile
from verdicts.records.workspace import Workspace
from verdicts.run.audit import ReadCell, compute_anew, divided
from verdicts.studies.cells import KEPT
from verdicts.studies.study import archive_of, module_of


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(path.name for path in (ROOT / "paper" / "kept").iterdir() if path.is_dir())
)
def test_a_kept_cell_of_each_function_agrees(name: str, tmp_path: Path) -> None:
    """The shortest of each that has short ones; the audit of one cell has a false alarm in 1e3
    by its test.
    """
    workspace = Workspace.open(ROOT, Profile.FULL, tmp_path, PROJECT)
    module_of(next(group for group in workspace.claims.group if group.id == name), "study")
    cells = archive_of(workspace).of_group(name).values()
    short, _ = divided(ReadCell(KEPT[one.function].cell_of(one.arguments), one) for one in cells)
    for function in sorted({one.how.name for one in short}):
        one = min(
            (each for each in short if each.how.name == function), key=lambda each: each.seconds
        )
        anew, missing = compute_anew([one])
        if missing:
            pytest.skip(missing)
        assert not anew[0].why, f"{one.kept} {anew[0].why}"

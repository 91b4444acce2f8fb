"""A kept cell of each function agrees with what is computed here. CI asks this as on a processor without AVX."""

from pathlib import Path

import pytest

from ams_suite.project import PROJECT
from tests.claims import ROOT
from verdicts.claims.schema import Profile
from verdicts.records.workspace import Workspace
from verdicts.run.audit import agrees, strata_of
from verdicts.studies.cells import KEPT
from verdicts.studies.study import archive_of, module_of, store_of


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "paper" / "kept").iterdir() if path.is_dir()))
def test_a_kept_cell_of_each_function_agrees(name: str, tmp_path: Path) -> None:
    """The cheapest of each that takes up to a minute; a test of distributions has a false alarm in 1e5."""
    workspace = Workspace.open(ROOT, Profile.FULL, tmp_path, PROJECT)
    module_of(next(group for group in workspace.claims.group if group.id == name), "study")
    short, _ = strata_of(archive_of(workspace).of_group(name).values())
    store = store_of(workspace)
    for function in sorted({cell.function for cell in short}):
        one = min((cell for cell in short if cell.function == function), key=lambda cell: cell.seconds)
        try:
            assert agrees(one, KEPT[function].cell_of(one.arguments), store, 1e-5), one
        except Exception as error:
            if not getattr(error, "not_run", False):
                raise
            pytest.skip(str(error))

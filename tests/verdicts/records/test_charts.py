"""Charts that a reader moves: their files, the same for the same data, asking nothing of a network."""

import json

import pytest

from verdicts.records.charts import SPEC, save_chart
from verdicts.records.figures import KINDS, Stamp, saved_as, stamped
from verdicts.report.images import size_of


def test_a_chart_is_saved_with_a_still_picture_and_its_origin(tmp_path):
    altair = pytest.importorskip("altair")
    chart = altair.Chart({"values": [{"x": 1, "y": 2}]}, width=100, height=75).mark_point().encode(x="x:Q", y="y:Q")
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        with saved_as(KINDS), stamped(Stamp("the paper", "quick", "digest", "abc")):
            figure = save_chart(chart, folder, "dots", "two points", ("A1",))
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1] and set(made[0]) == {"dots.svg", "dots.png", f"dots{SPEC}"}
    assert (figure.file.name, figure.claims, figure.moves) == ("dots.svg", ("A1",), True)
    spec = json.loads(made[0][f"dots{SPEC}"])
    assert "the paper verified; claims A1" in spec["usermeta"]["origin"] and "http" not in json.dumps(spec)
    assert size_of(figure.file.read_text()) > (75.0, 56.0), "in points, axes included"

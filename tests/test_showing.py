"""Tables on notebook pages."""

from __future__ import annotations

from ams.ledger import Table
from analysis.showing import show_table


def test_a_table_is_shown_under_its_caption_and_escaped() -> None:
    table = Table(id="a", caption="x < y", header=("name", "value"), rows=(("<b>", 0.123456),), claims=())
    shown = show_table(table).data
    assert "<p>x &lt; y</p>" in shown and "<th>value</th>" in shown
    assert "<td>&lt;b&gt;</td><td>0.1235</td>" in shown

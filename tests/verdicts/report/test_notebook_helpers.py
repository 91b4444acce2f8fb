"""Tables on notebook pages."""

from __future__ import annotations

from types import ModuleType

from verdicts import Measurement, Table, Unavailable, check
from verdicts.report.notebook_helpers import show, show_table


def test_a_table_is_shown_under_its_caption_and_escaped() -> None:
    table = Table(id="a", caption="x < y", header=("name", "value"), rows=(("<b>", 0.123456),), claims=())
    shown = show_table(table).data
    assert "<p>x &lt; y</p>" in shown and "<th>value</th>" in shown
    assert "<td>&lt;b&gt;</td><td>0.1235</td>" in shown


def test_a_check_that_cannot_be_run_says_why_and_the_others_are_shown() -> None:
    @check("I6.lag")
    def without(settings: None) -> Measurement:
        raise Unavailable("more <batches>")

    @check("I6.drift")
    def measured(settings: None) -> Measurement:
        return Measurement(value=0.25, low=0.125, high=0.5)

    module = ModuleType(__name__)
    module.without, module.measured = without, measured
    shown = show(module, None, "I6.lag", "I6.drift").data
    assert "<td>more &lt;batches&gt;</td>" in shown and "<td>not run</td>" in shown
    assert "<td>0.25 [0.125, 0.5]</td>" in shown and shown.count("<td>holds</td>") == 1

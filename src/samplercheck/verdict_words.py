"""The words of verdicts, and what else two reports are compared by. Nothing is imported here:
comparing is quick.
"""

HOLDS, REFUTED, INCONCLUSIVE = "holds", "refuted", "inconclusive"
NOTED = "noted"
"""Of a check that does not decide: a run that misses its order for its first steps alone, a
sampler that clips.
"""
EXPECTED, RAISED = "expected", "raised"
"""Of a check that is refuted as its author expects, which decides nothing; of a sampler that has
no report.
"""
MARKS = {REFUTED: "x", EXPECTED: "e", INCONCLUSIVE: "?", NOTED: "-", HOLDS: "+"}
"""The mark of each verdict, in the order in which a report has its rows."""
SCHEMA = 1
"""The version of the JSON: it changes where a key goes or changes its meaning, not where one is
added.
"""
ORDER_SHORT = 0.3
"""An order is refuted if its interval is below the stated order by more than this."""

"""The vocabulary of a module of checks: what it measures, draws and tabulates, and how it says that it cannot.

A module of checks imports from here alone. The machinery that turns measurements into verdicts and records lives
in the sibling modules and is not imported here: editing it leaves every record's key unchanged.
"""

from ams.ledger.figures import Figure, Table, save_figure
from ams.ledger.measurement import Measurement, Unavailable, Unbuilt, Unresolved, check

__all__ = ["Figure", "Measurement", "Table", "Unavailable", "Unbuilt", "Unresolved", "check", "save_figure"]

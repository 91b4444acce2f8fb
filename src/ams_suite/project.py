"""What the engine is told of this suite: its data, its jobs, its command."""

from __future__ import annotations

from ams.data.registry import registered
from verdicts.records.workspace import Project

PROJECT = Project(registered=registered, job=("-m", "ams_suite.job"), command="ams")

"""One rule's work, for Snakemake: `python -m ams_suite.job WORK ...`."""

from __future__ import annotations

import sys

from ams_suite.project import PROJECT
from verdicts.run.job import main

if __name__ == "__main__":
    sys.exit(main(PROJECT))

"""Benchmarks: checks like any other, measured by `bash reproduce.sh bench` alone, never by
pytest.
"""

import os

# else torch's profiler writes two lines to stderr at each use
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

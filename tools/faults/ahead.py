"""What runs of the small suite need is imported here, by the server of which they are forks; nothing has threads."""

import altair  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.backends.backend_pdf
import matplotlib.backends.backend_svg
import matplotlib.pyplot  # noqa: F401
import torch  # noqa: F401
import typst  # noqa: F401

from ams_suite.project import PROJECT  # noqa: F401
from verdicts.report import notebooks, page, paper, views  # noqa: F401
from verdicts.run import driver, job  # noqa: F401

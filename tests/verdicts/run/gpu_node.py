"""A project whose machines have an accelerator where SLURM has given a job one: a login node has none."""

import os

from verdicts.records.workspace import Project

PROJECT = Project(
    accelerator=lambda: "a GPU" if os.environ.get("CUDA_VISIBLE_DEVICES") else None,
    place="tests.verdicts.run.gpu_node:PROJECT",
)

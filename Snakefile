# The order of the work, and nothing else: each rule calls a plain function that also runs without it.
# `python -m ams reproduce` drives this file; a cluster may too:
#   snakemake --cores 8 --config profile=cpu out=results
import sys
from pathlib import Path

from ams.ledger.claims import Profile
from ams.runner.plan import Run
from ams.runner.snakemake import discard_stale_stamps
from ams.runner.workspace import Workspace

root = Path(config.get("root", workflow.basedir)).resolve()
out = Path(config.get("out", root / "results")).resolve()
workspace = Workspace.open(root, Profile(config.get("profile", "cpu")), out)
notebooks = [group.id for group in workspace.claims.group if group.notebook and workspace.config.notebooks]
job = [sys.executable, "-m", "ams.runner.job", "--root", str(root), "--profile", str(workspace.profile), "--out", str(out)]


workdir: workspace.folder


# Up to date is what the records say: a stamp of a group that has anything stale is removed before the work is planned.
if workflow.is_main_process:
    if not config.get("driven"):
        Run.begin(workspace)
    discard_stale_stamps(workspace)


rule all:
    input:
        "stamps/report",


rule checks:
    output:
        touch("stamps/checks/{group}"),
    threads: lambda wildcards: workspace.config.resources_of(wildcards.group).threads
    resources:
        mem_mb=lambda wildcards: workspace.config.resources_of(wildcards.group).mem_mb,
        runtime=lambda wildcards: workspace.config.resources_of(wildcards.group).runtime,
    params:
        job=lambda wildcards: job,  # as it is: braces in a path are no wildcards
    log:
        "logs/{group}.job.log",
    shell:
        "OMP_NUM_THREADS={threads} MKL_NUM_THREADS={threads} OPENBLAS_NUM_THREADS={threads} "
        "{params.job:q} checks --group {wildcards.group} > {log} 2>&1"


rule page:
    input:
        "stamps/checks/{group}",
    output:
        touch("stamps/pages/{group}"),
    threads: lambda wildcards: workspace.config.resources_of(wildcards.group).threads
    resources:
        mem_mb=lambda wildcards: workspace.config.resources_of(wildcards.group).mem_mb,
        runtime=lambda wildcards: workspace.config.resources_of(wildcards.group).runtime,
    params:
        job=lambda wildcards: job,  # as it is: braces in a path are no wildcards
    log:
        "logs/{group}.page.log",
    shell:
        "OMP_NUM_THREADS={threads} MKL_NUM_THREADS={threads} OPENBLAS_NUM_THREADS={threads} "
        "{params.job:q} page --group {wildcards.group} > {log} 2>&1"


rule report:
    input:
        expand("stamps/checks/{group}", group=[group.id for group in workspace.claims.group]),
        expand("stamps/pages/{group}", group=notebooks),
    output:
        touch("stamps/report"),
    params:
        job=lambda wildcards: job,  # as it is: braces in a path are no wildcards
    log:
        "logs/report.job.log",
    shell:
        "{params.job:q} report > {log} 2>&1"

# The order of the work, and nothing else: each rule calls a plain function that also runs without it.
# `ams reproduce` has its own workers; a cluster may use this:
#   snakemake --cores 8 --config profile=cpu out=results
import sys
from pathlib import Path

from ams_suite.project import PROJECT
from verdicts.claims.schema import Profile
from verdicts.records.run_record import Run
from verdicts.records.workspace import Workspace
from verdicts.run.lock import one_run_at_a_time
from verdicts.run.snakemake import discard_stale_stamps

root = Path(config.get("root", workflow.basedir)).resolve()
out = Path(config.get("out", root / "results")).resolve()
workspace = Workspace.open(root, Profile(config.get("profile", "cpu")), out, PROJECT)
notebooks = [group.id for group in workspace.claims.group if group.notebook and workspace.config.notebooks]
job = [sys.executable, "-m", "verdicts.run.job", "--project", PROJECT.place]
job += ["--root", str(root), "--profile", str(workspace.profile), "--out", str(out)]
one_thread = "OMP_NUM_THREADS={threads} MKL_NUM_THREADS={threads} OPENBLAS_NUM_THREADS={threads} "


def shares_of(wildcards):
    """The stamps of a group's study: none where one process does it with the checks."""
    shares = workspace.config.resources_of(wildcards.group).shares
    return [f"stamps/study/{wildcards.group}/{share}of{shares}" for share in range(shares)] if shares > 1 else []


workdir: workspace.folder


# Up to date is what the records say: a stamp of a group that has anything stale is removed before the work is planned.
if workflow.is_main_process:
    lock = one_run_at_a_time(workspace.folder / ".lock")
    lock.__enter__()  # until this process ends
    Run.begin(workspace)
    discard_stale_stamps(workspace)


rule all:
    input:
        "stamps/report",


rule study:
    output:
        touch("stamps/study/{group}/{share}of{shares}"),
    threads: lambda wildcards: workspace.config.resources_of(wildcards.group).threads
    resources:
        mem_mb=lambda wildcards: workspace.config.resources_of(wildcards.group).mem_mb,
        runtime=lambda wildcards: workspace.config.resources_of(wildcards.group).runtime,
    params:
        job=lambda wildcards: job,  # as it is: braces in a path are no wildcards
    log:
        "logs/{group}.study.{share}of{shares}.log",
    shell:
        one_thread + "{params.job:q} study --group {wildcards.group} --share {wildcards.share} "
        "--shares {wildcards.shares} > {log} 2>&1"


rule checks:
    input:
        shares_of,
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
        one_thread + "{params.job:q} checks --group {wildcards.group} > {log} 2>&1"


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
        one_thread + "{params.job:q} page --group {wildcards.group} > {log} 2>&1"


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

# The jobs of one run on a cluster, and nothing else: `ams reproduce --cluster slurm` (src/verdicts/run/cluster.py) writes
# what is to be done into `tasks`, and gives each run a folder of its own, in which nothing is ever out of date.
import shlex

if "tasks" not in config:
    sys.exit("the Snakefile is not for use by hand: bash reproduce.sh --cluster slurm --profile PROFILE")

tasks, largest = config["tasks"], config["largest"]
threads_of = "OMP_NUM_THREADS={threads} MKL_NUM_THREADS={threads} OPENBLAS_NUM_THREADS={threads} "
accelerator = {"gres": config.get("gres", "gpu:1")} if config["device"] == "cuda" else {}


def memory(wildcards, attempt):
    """Twice the memory at each attempt, up to that of the largest node."""
    wanted = tasks[wildcards.name]["mem_mb"]
    return max(wanted, min(wanted * 2 ** (attempt - 1), largest))


rule all:
    input:
        expand("done/{name}", name=tasks),


rule task:
    input:
        lambda wildcards: [f"done/{name}" for name in tasks[wildcards.name]["after"]],
    output:
        touch("done/{name}"),
    threads: lambda wildcards: tasks[wildcards.name]["threads"]
    resources:
        mem_mb=memory,
        runtime=lambda wildcards, attempt: tasks[wildcards.name]["runtime"] * attempt,
        **accelerator,
    params:  # as they are: braces in a path are no wildcards, and Snakemake's own quotes lose a word that is empty
        command=lambda wildcards: shlex.join(tasks[wildcards.name]["command"]),
        log=lambda wildcards: tasks[wildcards.name]["log"],
    shell:
        threads_of + "{params.command} > {params.log:q} 2>&1"

"""A SLURM cluster of one node on loopback, with daemons of its own and no accounting, started
and stopped here.
"""

import os
import platform
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from verdicts.records.workspace import Project

SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
DAEMONS = ("munged", "slurmctld", "slurmd")
CONF = """ClusterName=loop
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=1
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=8000 Gres=gpu:1
PartitionName=main Nodes={host} Default=YES MaxTime=120 State=UP
PartitionName=spare Nodes={host} MaxTime=120 State=UP
"""

PROJECT = Project(
    accelerator=lambda: "a GPU" if os.environ.get("CUDA_VISIBLE_DEVICES") else None,
    place="tests.verdicts.run.slurm_cluster:PROJECT",
)
"""A project whose machines have an accelerator where SLURM has given a job one: a login node has
none.
"""


def lacking() -> str:
    """Return which of the daemons are not here, in one line; empty where all are."""
    gone = [name for name in (*DAEMONS, "sbatch") if shutil.which(name, path=SBIN) is None]
    advice = "(Debian: apt-get install slurmctld slurmd slurm-client munge)"
    return f"no {', '.join(gone)} here {advice}" if gone else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class SlurmCluster:
    """The daemons; `environment` is what a client needs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.daemons = folder, list[subprocess.Popen[bytes]]()
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}

    @classmethod
    def start(cls) -> Self:
        """Start all daemons and wait until the node is idle."""
        cluster = cls(Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp")))
        try:
            cluster._write()
            cluster._begin(
                "munged",
                "-F",
                *(f"--{name}={cluster.folder}/munge/{file}" for name, file in MUNGE.items()),
            )
            cluster._wait(lambda: (cluster.folder / "munge" / "socket").exists())
            cluster._begin("slurmctld", "-D")
            cluster._begin("slurmd", "-D", "-N", platform.node().split(".")[0])
            cluster._wait(lambda: set(cluster.asked("sinfo", "-h", "-o", "%T").split()) == {"idle"})
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def stop(self) -> None:
        """End the daemons, the node's first, and remove their files."""
        self.asked("scancel", "--state=PENDING"), self.asked("scancel", "--state=RUNNING")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def asked(self, *command: str) -> str:
        """Return what a client prints."""
        environment = os.environ | self.environment
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout

    def _write(self) -> None:
        self.folder.chmod(0o711)
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(mode=0o711)
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        user, host = pwd.getpwuid(os.geteuid()).pw_name, platform.node().split(".")[0]
        conf = CONF.format(
            folder=self.folder, host=host, user=user, ctld=free_port(), slurmd=free_port()
        )
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        (self.folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/zero\n")

    def _begin(self, name: str, *arguments: str) -> None:
        command = [str(shutil.which(name, path=SBIN)), *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            environment = os.environ | self.environment
            self.daemons.append(
                subprocess.Popen(
                    command, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def _wait(self, condition, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                logs = "\n".join(
                    path.read_text()[-2000:] for path in sorted(self.folder.glob("*.log"))
                )
                raise RuntimeError(f"SLURM does not start:\n{logs}")
            time.sleep(0.2)


MUNGE = {
    "key-file": "key",
    "socket": "socket",
    "pid-file": "pid",
    "log-file": "log",
    "seed-file": "seed",
}

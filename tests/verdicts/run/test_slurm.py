"""What a cluster is asked, told by commands that stand for SLURM's."""

import pytest

from verdicts.errors import UserError
from verdicts.run import slurm

QUEUE = """#!/bin/sh
cat "$(dirname "$0")/queue"
"""
CANCEL = """#!/bin/sh
queue="$(dirname "$0")/queue"
shift
for job in "$@"; do grep -v "^$job|" "$queue" > "$queue.new"; mv "$queue.new" "$queue"; done
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Return a function that puts a command on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(slurm, "POLL", 0.01)

    def put(name, text):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    return put


def test_what_does_not_answer_is_told_with_its_words(stand_in, monkeypatch):
    stand_in("squeue", "#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact' >&2\nexit 1\n")
    with pytest.raises(UserError, match="SLURM does not answer: squeue ended with 1: slurm_load_jobs error: Unable"):
        slurm.queued("verdicts")
    stand_in("squeue", "#!/bin/sh\nsleep 5\n")
    monkeypatch.setattr(slurm, "ANSWER", 0.1)
    with pytest.raises(UserError, match=r"SLURM does not answer: .* timed out"):
        slurm.queued("verdicts")


def test_nodes_and_settings_are_read(stand_in):
    stand_in("sinfo", "#!/bin/sh\necho 'n1|main|main*|4000+|gpu:2'; echo 'n1|long|long|4000|(null)'\n")
    stand_in("scontrol", "#!/bin/sh\necho 'Configuration data'; echo 'MinJobAge               = 300 sec'\n")
    assert slurm.nodes() == [
        slurm.Node("n1", "main", True, 4000, "gpu:2"),
        slurm.Node("n1", "long", False, 4000, "(null)"),
    ]
    assert slurm.settings() == {"MinJobAge": "300 sec"}


def test_what_is_queued_tells_its_task(stand_in):
    stand_in("squeue", QUEUE)
    stand_in(
        "queue", "1|verdicts-a|RUNNING|rule_task_wildcards_a_b.job\n2|verdicts-a|PENDING|(null)\n3|mine|RUNNING|x|y\n"
    )
    assert slurm.queued("verdicts") == [
        slurm.Queued("1", "verdicts-a", "a_b.job", True),
        slurm.Queued("2", "verdicts-a", "(null)", False),
    ]


@pytest.mark.parametrize("again", [False, True])
def test_jobs_of_a_name_are_cancelled_and_no_others(stand_in, tmp_path, again):
    stand_in("squeue", QUEUE)
    stand_in("scancel", CANCEL)
    stand_in("queue", "1|verdicts-a-x|RUNNING|\n2|verdicts-b-x|PENDING|\n3|verdicts-a-y|PENDING|\n4|mine|RUNNING|\n")
    assert slurm.cancel("verdicts-a", 10.0, again) == 2
    assert (tmp_path / "queue").read_text() == "2|verdicts-b-x|PENDING|\n4|mine|RUNNING|\n"
    assert slurm.cancel("verdicts-a", 10.0, again) == 0


def test_a_job_that_was_on_its_way_is_cancelled_too(stand_in, monkeypatch):
    looks = iter([[], [slurm.Queued("7", "verdicts", "a.job", True)]])
    monkeypatch.setattr(slurm, "queued", lambda prefix: next(looks, []))
    stand_in("scancel", "#!/bin/sh\n")
    assert slurm.cancel("verdicts", 10.0, again=True) == 1


def test_jobs_that_do_not_end_are_told(stand_in):
    stand_in("squeue", "#!/bin/sh\necho '9|verdicts-a|RUNNING|'\n")
    stand_in("scancel", "#!/bin/sh\nexit 1\n")
    with pytest.raises(UserError, match="SLURM jobs 9 do not end though they are cancelled"):
        slurm.cancel("verdicts", -1.0)

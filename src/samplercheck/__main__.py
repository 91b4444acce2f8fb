"""`samplercheck SAMPLER`, or `python -m samplercheck SAMPLER`: does a sampler do what it says?"""

import os
import signal
import sys
from collections.abc import Sequence

import tyro

from ams.errors import DataUnavailable, UserError
from samplercheck.options import Conform


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the sampler that the arguments name; return the exit code."""
    command = tyro.cli(Conform, prog="samplercheck", args=arguments)
    try:
        code = command()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # a reader that has seen enough, as in `| head`: the shell's code for it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (UserError, DataUnavailable) as error:
        print(f"samplercheck: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("samplercheck: interrupted; nothing is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

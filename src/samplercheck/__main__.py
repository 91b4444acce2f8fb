"""`samplercheck SAMPLER`, or `python -m samplercheck SAMPLER`: does a sampler do what it says?"""

import sys
from collections.abc import Sequence

import tyro

from ams.errors import DataUnavailable, UserError
from samplercheck.options import Conform


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the sampler that the arguments name; return the exit code."""
    command = tyro.cli(Conform, prog="samplercheck", args=arguments)
    try:
        return command()
    except (UserError, DataUnavailable) as error:
        print(f"samplercheck: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("samplercheck: interrupted; nothing is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

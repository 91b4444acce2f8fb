"""The corpus that fuzzing has kept, as one archive: for each parser its inputs, by the SHA-1 of their bytes."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ARCHIVE = Path(__file__).with_name("corpus.tar.gz")


def read(archive: Path = ARCHIVE) -> dict[str, list[bytes]]:
    """Return the inputs of each parser, in the order of their names; none where there is no archive."""
    inputs: dict[str, list[bytes]] = {}
    if archive.is_file():
        with tarfile.open(archive) as members:
            for member in members:
                inputs.setdefault(member.name.partition("/")[0], []).append(members.extractfile(member).read())
    return inputs


def write(inputs: Mapping[str, Iterable[bytes]], archive: Path = ARCHIVE) -> None:
    """Write the archive; the same inputs, in any order, give the same members, without times and owners."""
    named = {f"{name}/{hashlib.sha1(each).hexdigest()}": each for name, some in inputs.items() for each in some}
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as members:
        for name in sorted(named):
            member = tarfile.TarInfo(name)
            member.size = len(named[name])
            members.addfile(member, io.BytesIO(named[name]))
    archive.write_bytes(stream.getvalue())

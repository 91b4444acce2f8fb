"""Files from elsewhere: a mirror that lies, a server that lies, stops half way or does not answer, no network."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from signal import SIGKILL
from threading import Thread

from ams_suite.tools.faults.fault import Bench, Try, fault
from ams_suite.tools.faults.hosts import can
from ams_suite.tools.faults.injection import CONTENT, TOY, Injection
from ams_suite.tools.faults.requirements import Reference
from ams_suite.tools.faults.suite import Start

OTHER = bytes(reversed(CONTENT))
LIES: dict[str, Callable[[Path], object]] = {
    "cut short": lambda path: path.write_bytes(CONTENT[:-1]),
    "longer": lambda path: path.write_bytes(CONTENT + b"\0"),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(len(CONTENT))),
    "one bit changed": lambda path: path.write_bytes(b"\1" + CONTENT[1:]),
    "other bytes": lambda path: path.write_bytes(OTHER),
    "a page that says sorry": lambda path: path.write_text("<html>404 Not Found</html>"),
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to itself": lambda path: path.symlink_to(path),
}
ANSWERS = (
    "cut short",
    "longer",
    "other bytes",
    "a page that says sorry",
    "404",
    "500",
    "a loop",
    "nothing",
    "silence",
    "rubbish",
)


SILENCE = 12.0
"""Seconds for which a server says nothing: more than a download waits."""


@fault("The mirror (`AMS_DATA`) holds other bytes than those registered, or no file at all.", 0)
def lying_mirror(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The claim fails, with the file's name, or is not run; with the right bytes it holds."""
    reference, mirror = _reference(bench), bench.work / "mirror"
    for name, lie in LIES.items():
        shutil.rmtree(mirror, ignore_errors=True)
        (mirror / TOY).mkdir(parents=True)
        lie(mirror / TOY / "0.bin")
        out, start = reference.place(), _start(bench, None, AMS_DATA=str(mirror), AMS_CACHE=str(bench.work / "none"))
        done = reference.suite.run(out, start)
        broken = list(reference.after(out, done, {0, 3}))
        shutil.rmtree(mirror)
        (mirror / TOY).mkdir(parents=True)
        (mirror / TOY / "0.bin").write_bytes(CONTENT)
        asks = Start(start.injection, ("--fetch",), start.variables)
        yield Try(name, done.code, (*broken, *reference.mended(out, asks)))


@fault("The server of a registered file lies, stops half way, goes round in circles, hangs up or stays silent.", 0)
def lying_server(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """The claim is not run, nothing of it stays in the cache; asked again (`--fetch`), an honest server serves."""
    reference = _reference(bench)
    for name in ANSWERS:
        cache = bench.work / f"cache of {name}"
        out = reference.place()
        with _server() as address:
            start = _start(bench, f"{address}/{name.replace(' ', '-')}", AMS_CACHE=str(cache))
            done = reference.suite.run(out, start)
            broken = [*reference.after(out, done, {0}), *_left(cache)]
            start = _start(bench, f"{address}/honest", AMS_CACHE=str(cache))
            asks = Start(start.injection, ("--fetch",), start.variables)
            yield Try(name, done.code, (*broken, *reference.mended(out, asks), *_left(cache)))


@fault("A run is killed (SIGKILL) in the middle of a download.", 5)
def killed_download(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """No part of a file is taken for it, and none stays once it has been had."""
    reference = _reference(bench)
    for number in range(tries):
        out, cache = reference.place(), bench.work / f"cache {number}"
        with _server() as address:
            run = reference.suite.start(out, _start(bench, f"{address}/slow", AMS_CACHE=str(cache)))
            end = time.monotonic() + 30
            while not any(path.is_file() for path in cache.rglob("*")) and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(moments.uniform(0, 0.5))
            run.signal_group(SIGKILL)
            done = run.ended()
            broken = list(reference.after(out, done, {0, -9}))
            _make_older(cache)
            honest = _start(bench, f"{address}/honest", AMS_CACHE=str(cache))
            yield Try("", done.code, (*broken, *reference.mended(out, honest), *_left(cache)))


@fault("There is no network at all (a network namespace without an interface).", 1)
def no_network(bench: Bench, moments: Random, tries: int) -> Iterator[Try]:
    """A claim whose file is to be downloaded is not run, all others are as always; asked again it has it."""
    reference, cache = _reference(bench), bench.work / "cache without a network"
    before = ("unshare", "--net")
    if not can(before):
        yield Try("", skipped="no right to make namespaces here")
        return
    out = reference.place()
    with _server() as address:
        start = _start(bench, f"{address}/honest", AMS_CACHE=str(cache))
        done = reference.suite.run(out, Start(start.injection, (), start.variables, before=before))
        asks = Start(start.injection, ("--fetch",), start.variables)
        yield Try("", done.code, (*reference.after(out, done, {0}), *_left(cache), *reference.mended(out, asks)))


def _reference(bench: Bench) -> Reference:
    """Return a suite that reads a registered file, as it is where the file can be had."""
    suite = bench.small("quick", "small", "study", "data")
    with _server() as address:
        return Reference.of(suite, _start(bench, f"{address}/honest", AMS_CACHE=str(bench.work / "honest cache")))


def _start(bench: Bench, address: str | None, **variables: str) -> Start:
    nothing = {"AMS_DATA": None, "AMS_OFFLINE": None, "AMS_FETCH": None}
    return Start(Injection(registered=True, address=address), variables={**nothing, **variables})


def _left(cache: Path) -> list[str]:
    """Return what lies in a cache and is neither the file, whole, nor the note that it was asked for in vain."""
    files = [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".missing"]
    return [f"{path.name} stays in the cache" for path in files if path.name != "0.bin" or path.read_bytes() != CONTENT]


def _make_older(cache: Path) -> None:
    """Let what a download has left be two minutes old: a younger one may still be in progress."""
    for path in cache.rglob("*"):
        os.utime(path, (time.time() - 120, time.time() - 120))


class _Server(BaseHTTPRequestHandler):
    """Gives the file as the path of the request says."""

    def do_GET(self) -> None:
        page = self.path.strip("/").replace("-", " ")
        if page == "silence":
            time.sleep(SILENCE)
        if page in ("nothing", "silence"):
            return
        if page == "rubbish":
            self.wfile.write(b"\0\1\2 no HTTP\r\n\r\n")
            return
        if page in ("404", "500", "a loop"):
            self.send_response(302 if page == "a loop" else int(page))
            self.send_header("Location", self.path)
            self.end_headers()
            return
        content = {"other bytes": OTHER, "longer": CONTENT * 9, "a page that says sorry": b"<html>sorry</html>"}
        sent = content.get(page, CONTENT)
        self.send_response(200)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent[: len(sent) // 2 if page in ("cut short", "slow") else None])
        self.wfile.flush()
        if page == "slow":
            time.sleep(3)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def _server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

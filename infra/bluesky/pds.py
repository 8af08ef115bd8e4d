"""A real Bluesky server on this machine: the official PDS and PLC directory from npm, on 127.0.0.1 only.

`python -m infra.bluesky.pds up` runs it until Ctrl-C; `check` walks one account through a post and stops.
Both leave with 77, and say why, where Node is missing; nothing needs a compiler.
"""

import argparse
import hashlib
import json
import secrets
import shutil
import signal
import subprocess  # nosec B404
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SOURCE = Path(__file__).resolve().parent
INSTALLED = SOURCE.parents[1] / ".local" / "bluesky"
OLDEST_NODE = (18, 7)
SKIPPED, INTERRUPTED = 77, 130

LOOPBACK = "127.0.0.1"
INSTALL_FOR, START_FOR, CALL_FOR, STOP_FOR = 600.0, 60.0, 30.0, 10.0
ONE_PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000b49444154789c6360000200000500017a5eab3f0000000049454e44ae426082"
)


class PdsError(Exception):
    """The server could not be installed or started, or refused a call; the message says which."""


def install(target_dir: Path = INSTALLED) -> str | None:
    """Install the locked packages into `target_dir`; return None, or why this machine cannot run them.

    Does nothing when `target_dir` already holds this lock file's packages. Raises PdsError when npm fails.
    """
    reason = _missing()
    if reason:
        return reason
    files = [SOURCE / name for name in ("package.json", "package-lock.json", ".npmrc")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = target_dir / "installed"
    if stamp.exists() and stamp.read_text() == digest:
        return None
    target_dir.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for file in files:
        shutil.copy(file, target_dir)
    _run([_tool("npm"), "ci"], target_dir, INSTALL_FOR)
    # The SQLite binding is a prebuilt optional package, which npm leaves out in silence on other machines.
    _run([_tool("node"), "-e", "require('better-sqlite3')"], target_dir, START_FOR)
    stamp.write_text(digest)
    return None


@dataclass(frozen=True)
class Pds:
    """A running server. Leaving the context stops it; so does the death of this process."""

    base_url: str
    process: subprocess.Popen[bytes]

    def create_account(self, handle: str, email: str, password: str) -> dict[str, Any]:
        """Create an account and return its `did`, `handle`, `accessJwt` and `refreshJwt`.

        `handle` is one name under `.test`. Raises PdsError when it is taken or not allowed.
        """
        return self.post(
            "com.atproto.server.createAccount", {"handle": handle, "email": email, "password": password}
        )

    def get(self, nsid: str, **params: str) -> dict[str, Any]:
        """Answer an XRPC query that needs no sign-in. Raises PdsError on anything but success."""
        return self._call(urllib.request.Request(f"{self._url(nsid)}?{urllib.parse.urlencode(params)}"))

    def post(
        self,
        nsid: str,
        body: Mapping[str, Any] | bytes,
        token: str | None = None,
        media_type: str = "application/json",
    ) -> dict[str, Any]:
        """Run an XRPC procedure with a JSON or raw body. Raises PdsError on anything but success."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self._url(nsid), data, {"Content-Type": media_type})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        return self._call(request)

    def stop(self) -> None:
        """End the server and wait until it has gone; a second call does nothing."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(STOP_FOR)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _url(self, nsid: str) -> str:
        return f"{self.base_url}/xrpc/{nsid}"

    def _call(self, request: urllib.request.Request) -> dict[str, Any]:
        # A proxy from the environment must not see calls to this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        nsid = request.selector.partition("?")[0].rpartition("/")[2]
        try:
            with opener.open(request, timeout=CALL_FOR) as response:
                answer: dict[str, Any] = json.loads(response.read() or b"{}")
                return answer
        except urllib.error.HTTPError as error:
            raise PdsError(
                f"{nsid} answered {error.code}: {error.read().decode(errors='replace')}"
            ) from error
        except urllib.error.URLError as error:
            raise PdsError(f"{nsid} got no answer from {self.base_url}: {error.reason}") from error


def start(
    state_dir: Path, port: int, plc_port: int, *, installed: Path = INSTALLED, rate_limits: bool = False
) -> Pds:
    """Start an empty server with its data and `pds.log` in `state_dir`; return when it answers.

    The PLC directory lives in memory, so accounts last as long as the server: what an earlier one left in
    `state_dir` is removed. Raises PdsError, with the log's end, when it does not start.
    """
    data = state_dir.resolve() / "pds"
    if data.exists():
        shutil.rmtree(data)
    data.mkdir(parents=True)
    environment = {
        "NODE_PATH": str(installed.resolve() / "node_modules"),
        "PDS_PORT": str(port),
        "PLC_PORT": str(plc_port),
        "PDS_DATA_DIRECTORY": str(data),
        "PDS_RATE_LIMITS_ENABLED": str(rate_limits).lower(),
    }
    log = state_dir / "pds.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # nosec B603
            [_tool("node"), str(SOURCE / "start-pds.js")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    pds = Pds(f"http://{LOOPBACK}:{port}", process)
    try:
        give_up_at = time.monotonic() + START_FOR
        while not (data / "ready").exists():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise PdsError(f"The Bluesky server did not start. {log} ends:\n{_tail(log.read_text())}")
            time.sleep(0.05)
    except BaseException:
        pds.stop()
        raise
    return pds


def check(pds: Pds) -> None:
    """Walk one account from creation to deactivation, printing each step and its time. Raises PdsError."""
    collection, rkey = "app.bsky.feed.post", "3lbaaaaaaaa22"
    credentials = {"identifier": "signalbox.test", "password": secrets.token_urlsafe()}

    def step(name: str, began: float, detail: str) -> None:
        print(f"{name:<18}{(time.monotonic() - began) * 1000:6.0f} ms  {detail}")

    began = time.monotonic()
    account = pds.create_account(credentials["identifier"], "signalbox@example.test", credentials["password"])
    did = account["did"]
    step("createAccount", began, did)
    began = time.monotonic()
    token = pds.post("com.atproto.server.createSession", credentials)["accessJwt"]
    step("createSession", began, credentials["identifier"])
    began = time.monotonic()
    blob = pds.post("com.atproto.repo.uploadBlob", ONE_PIXEL_PNG, token, "image/png")["blob"]
    step("uploadBlob", began, f"{blob['mimeType']}, {blob['size']} bytes")
    record = {
        "$type": collection,
        "text": "Dzień dobry, سلام 👋",
        "createdAt": "2026-01-01T00:00:00Z",
        "embed": {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "one clear pixel"}]},
    }
    written = {"repo": did, "collection": collection, "rkey": rkey, "record": record}
    cids = []
    for _ in range(2):
        began = time.monotonic()
        cids.append(pds.post("com.atproto.repo.putRecord", written, token)["cid"])
        step("putRecord", began, cids[-1])
    began = time.monotonic()
    read = pds.get("com.atproto.repo.getRecord", repo=did, collection=collection, rkey=rkey)
    step("getRecord", began, read["uri"])
    began = time.monotonic()
    listed = pds.get("com.atproto.repo.listRecords", repo=did, collection=collection)["records"]
    step("listRecords", began, f"{len(listed)} record")
    began = time.monotonic()
    pds.post("com.atproto.server.deactivateAccount", {}, token)
    status = pds.get("com.atproto.sync.getRepoStatus", did=did)
    step("deactivateAccount", began, f"status {status.get('status')}")

    seen = (cids, read["value"], [each["cid"] for each in listed], status.get("status"))
    if seen != ([read["cid"]] * 2, record, [read["cid"]], "deactivated"):
        raise PdsError(
            "Two equal putRecord calls did not end as one unchanged record of a deactivated account."
        )


def _missing() -> str | None:
    for name in ("node", "npm"):
        if shutil.which(name) is None:
            return f"{name} is not installed."
    version = _run([_tool("node"), "--version"], SOURCE, CALL_FOR).strip()
    if tuple(int(part) for part in version.removeprefix("v").split(".")[:2]) < OLDEST_NODE:
        return f"Node {'.'.join(map(str, OLDEST_NODE))} or newer is needed; this is {version}."
    return None


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise PdsError(f"{name} is not installed.")
    return path


def _run(command: list[str], directory: Path, timeout_for: float) -> str:
    try:
        done = subprocess.run(  # nosec B603
            command, check=False, cwd=directory, capture_output=True, text=True, timeout=timeout_for
        )
    except subprocess.TimeoutExpired as error:
        raise PdsError(f"`{' '.join(command)}` took longer than {timeout_for:.0f} s.") from error
    if done.returncode:
        raise PdsError(f"`{' '.join(command)}` failed:\n{_tail(done.stderr)}")
    return done.stdout


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-20:])


def main(arguments: list[str]) -> int:
    """Run the command line; return 0, 1 if it failed, 77 where Node is missing, 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="python -m infra.bluesky.pds", description=__doc__)
    parser.add_argument("command", choices=["up", "check"])
    parser.add_argument("--port", type=int, default=2583)
    parser.add_argument("--plc-port", type=int, default=2582)
    parser.add_argument("--state-dir", type=Path, default=INSTALLED / "state")
    parser.add_argument("--rate-limits", action="store_true", help="the limits of bsky.social")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        began = time.monotonic()
        reason = install()
        if reason:
            print(f"The Bluesky server was not run: {reason}")
            return SKIPPED
        print(f"installed after {time.monotonic() - began:.1f} s")
        began = time.monotonic()
        with start(options.state_dir, options.port, options.plc_port, rate_limits=options.rate_limits) as pds:
            print(f"ready after {time.monotonic() - began:.1f} s at {pds.base_url}", flush=True)
            if options.command == "check":
                check(pds)
            else:
                pds.process.wait()
                raise PdsError(f"The Bluesky server ended; see {options.state_dir / 'pds.log'}.")
    except PdsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if options.command == "up" else INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The whole of Signalbox on this machine: `python -m infra.local.stack up | run | status | down`.

`up` starts an AWS for one machine (MiniStack), the local platform and the local mailbox on 127.0.0.1 and
deploys what production gets. State lives in .local/ and survives `down`. See docs/one-machine.md.
"""

import argparse
import importlib
import importlib.util
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.deploy import DeployError, Target, deploy, exists
from infra.local import large as large_company
from infra.local.processes import LOOPBACK, Service, StackError, emptied
from infra.package import ROOT, Package, PackagingError, build, exclusive

STAGE, REGION = "local", "eu-central-1"
ROOT_CREDENTIALS = ("test", "test")  # MiniStack's account root; it listens on loopback only
API_ID = "signalbox-local"
MAIL_FROM = "signalbox@signalbox.example"
COMPANY = "Zorza"
POLL_SECONDS = 15  # nobody shares the local platform, so it may be asked more often than a network
PORTS = {
    "SIGNALBOX_AWS_PORT": 4570,
    "SIGNALBOX_PLATFORM_PORT": 4571,
    "SIGNALBOX_MAIL_PORT": 4572,
    "SIGNALBOX_SMTP_PORT": 4573,
    "SIGNALBOX_PDS_PORT": 4574,
    "SIGNALBOX_PLC_PORT": 4575,
}


@dataclass(frozen=True)
class Stack:
    """Where everything of the running stack answers; what .local/stack.json says."""

    api_url: str
    platform_url: str
    mail_url: str
    aws_endpoint: str
    stage: str
    region: str
    tokens: dict[str, str] = field(default_factory=dict)
    is_large: bool = False  # whether the sample company has grown

    def client(self, service: str) -> Any:
        """A boto3 client with the rights of the account's root."""
        return self.target.client(service)

    @property
    def target(self) -> Target:
        return Target(self.stage, self.region, self.aws_endpoint, ROOT_CREDENTIALS)


class Machine:
    """The processes and state in one folder; a port is its own variable, else follows SIGNALBOX_PORT_BASE."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        first = min(PORTS.values())
        base = _port(environment, "SIGNALBOX_PORT_BASE", first)
        self.ports = {name: _port(environment, name, base + port - first) for name, port in PORTS.items()}
        self.services = self._services()

    @property
    def stack_file(self) -> Path:
        return self.folder / "stack.json"

    def stack(self) -> Stack | None:
        """The stack as it was last brought up, whether or not it runs now."""
        return Stack(**json.loads(self.stack_file.read_text())) if self.stack_file.exists() else None

    def addresses(self, tokens: dict[str, str], is_large: bool = False) -> Stack:
        def url(name: str) -> str:
            return f"http://{LOOPBACK}:{self.ports[name]}"

        endpoint = url("SIGNALBOX_AWS_PORT")
        return Stack(
            api_url=f"{endpoint}/_aws/execute-api/{API_ID}/api",
            platform_url=url("SIGNALBOX_PLATFORM_PORT"),
            mail_url=url("SIGNALBOX_MAIL_PORT"),
            aws_endpoint=endpoint,
            stage=STAGE,
            region=REGION,
            tokens=tokens,
            is_large=is_large,
        )

    def up(self, sample_company: bool = True, large: bool = False) -> tuple[Stack, list[Service]]:
        """Brings the stack up, deploying what has changed; returns it and what was started, when all answers.

        `large` has the sample company grow to 320 accounts; it stays so. Raises StackError, PackagingError,
        DeployError or ApiError, after stopping what it had started.
        """
        with exclusive(self.folder / "lock", "waiting for another `make up` or `make down` to finish"):
            known = self.stack()
            stack = self.addresses(known.tokens if known else {}, known is not None and known.is_large)
            if known and known.aws_endpoint != stack.aws_endpoint:
                raise StackError(
                    f"the state in {self.folder} was made for {known.aws_endpoint}, which is in its queues' "
                    "addresses: use that port again, or throw the state away with `make clean`"
                )
            started = [service for service in self.services if service.pid() is None]
            for service in started:
                service.refuse_taken_ports()
            if self.services[0] in started:
                emptied(self.folder / "tmp")
            try:
                for service in started:
                    say(f"starting {service.name} (log: {service.log_file})")
                    service.start()
                package = build(STAGE)
                for service in started:
                    service.wait_until_ready()
                stack, changed = self._deploy(stack, package, sample_company)
                if large and not stack.is_large:
                    say("the sample company grows to 320 accounts in 24 districts")
                    large_company.grow(stack)
                    stack = self._written(replace(stack, is_large=True))
                elif stack.is_large and started:
                    large_company.break_some(stack)
            except BaseException:
                for service in started:
                    service.stop()
                raise
            if not started and not changed:
                say("the stack was already up and nothing has changed")
            return stack, started

    def down(self) -> list[str]:
        """Stops what runs and returns its names; state stays."""
        with exclusive(self.folder / "lock", "waiting for another `make up` or `make down` to finish"):
            return [service.name for service in self.services if service.stop()]

    def _deploy(self, stack: Stack, package: Package, sample_company: bool) -> tuple[Stack, bool]:
        fresh = not exists(stack.target)
        if fresh:
            # Files of a state that was lost would be in the way of the new one.
            _post(f"{stack.aws_endpoint}/_ministack/reset")
            stack.client("sesv2").create_email_identity(EmailIdentity=MAIL_FROM)
        deployed = deploy(stack.target, package, self._parameters(stack), API_ID)
        say(f"stateful stack {deployed.data}, code stack {deployed.code}")
        company = _part("company")
        if company and sample_company and (fresh or not stack.tokens):
            say("loading the sample company")
            stack = self._written(self.addresses({}))
            try:
                stack = self.addresses(company.load(stack, self.folder))
            except BaseException:
                _post(
                    f"{stack.aws_endpoint}/_ministack/reset"
                )  # the next `up` starts from nothing, not from half
                raise
        self._written(stack)
        return stack, {deployed.data, deployed.code} != {"unchanged"}

    def _written(self, stack: Stack) -> Stack:
        self.stack_file.write_text(json.dumps(asdict(stack), indent=1) + "\n")
        return stack

    def _parameters(self, stack: Stack) -> dict[str, str]:
        callable_ports = ("SIGNALBOX_PLATFORM_PORT", "SIGNALBOX_PDS_PORT", "SIGNALBOX_PLC_PORT")
        return {
            "PublicUrl": stack.api_url,
            "MailFrom": MAIL_FROM,
            "Company": COMPANY,
            "AllowedHosts": ",".join(f"{LOOPBACK}:{self.ports[name]}" for name in callable_ports),
            "PollSeconds": str(POLL_SECONDS),
        }

    def _services(self) -> tuple[Service, ...]:
        def service(
            name: str, command: list[str], environment: dict[str, str], ready: str, *ports: str
        ) -> Service:
            basics = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
            return Service(
                name=name,
                command=[sys.executable, "-m", *command],
                environment={**basics, "HOME": str(self.folder), **environment},
                ports={port: self.ports[port] for port in ports},
                ready_url=f"http://{LOOPBACK}:{self.ports[ports[-1]]}{ready}",
                folder=self.folder,
            )

        platform = ["infra.local.platform", "--port", str(self.ports["SIGNALBOX_PLATFORM_PORT"])]
        mailbox = ["infra.local.mailbox", "--smtp-port", str(self.ports["SIGNALBOX_SMTP_PORT"])]
        mailbox += ["--port", str(self.ports["SIGNALBOX_MAIL_PORT"])]
        return (
            service(
                "MiniStack",
                ["infra.local.aws"],
                self._ministack(),
                "/_ministack/health",
                "SIGNALBOX_AWS_PORT",
            ),
            service(
                "platform",
                [*platform, "--state", str(self.folder / "platform")],
                {},
                "/",
                "SIGNALBOX_PLATFORM_PORT",
            ),
            service(
                "mailbox",
                [*mailbox, "--state", str(self.folder / "mailbox")],
                {},
                "/",
                "SIGNALBOX_SMTP_PORT",
                "SIGNALBOX_MAIL_PORT",
            ),
        )

    def _ministack(self) -> dict[str, str]:
        """MiniStack's whole environment. Functions inherit it, so nothing of the caller's may be in it."""
        return {
            "TMPDIR": str(self.folder / "tmp"),
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.ports["SIGNALBOX_AWS_PORT"]),
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_CREDENTIALS[0],
            "AWS_SECRET_ACCESS_KEY": ROOT_CREDENTIALS[1],
            "AWS_EC2_METADATA_DISABLED": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "aws"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "SMTP_HOST": f"{LOOPBACK}:{self.ports['SIGNALBOX_SMTP_PORT']}",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }


def run(machine: Machine, once: bool, large: bool = False) -> int:
    """Brings the stack up and plays the story; unless `once`, stays until Ctrl-C. Stops what it started."""
    started: list[Service] = []
    try:
        stack, started = machine.up(large=large)
        story = _part("story")
        played = story is None or story.play(stack)
        _print_addresses(stack)
        if once:
            return 0 if played else 1
        print("Ctrl-C stops it." if started else "Ctrl-C leaves it running: it was up before.", flush=True)
        while True:
            time.sleep(1)
            for service in machine.services:
                if service.pid() is None:
                    raise StackError(f"{service.name} has stopped; its log is {service.log_file}")
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        for service in started:
            say(f"stopping {service.name}")
            service.stop()


def status(machine: Machine) -> int:
    """Prints what runs and where; 0 when everything does."""
    pids = {service.name: service.pid() for service in machine.services}
    for name, pid in pids.items():
        print(f"{name:11}{f'up, process {pid}' if pid else 'down'}")
    stack = machine.stack()
    if stack and all(pids.values()):
        _print_addresses(stack)
        return 0
    return 1


def say(line: str) -> None:
    print(f"  {line}", flush=True)


def _print_addresses(stack: Stack) -> None:
    print(f"API        {stack.api_url}/")
    print(f"mails      {stack.mail_url}/")
    print(f"platform   {stack.platform_url}/")
    print(f"AWS        {stack.aws_endpoint}  (region {stack.region}, key and secret `{ROOT_CREDENTIALS[0]}`)")
    for role, token in stack.tokens.items():
        print(f"token      {role}: {token}")


def _port(environment: Mapping[str, str], name: str, otherwise: int) -> int:
    text = environment.get(name, str(otherwise))
    if not text.isdigit() or not 1024 <= int(text) <= 65000:
        raise StackError(f"{name} is {text!r}: it must be a port between 1024 and 65000")
    return int(text)


def _part(name: str) -> Any:
    """The module infra.local.<name>, or None while there is none."""
    found = importlib.util.find_spec(f"infra.local.{name}")
    return importlib.import_module(f"infra.local.{name}") if found else None


def _post(url: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30):  # nosec B310
        pass


def _interrupted(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description="Signalbox on this machine.")
    parser.add_argument("command", choices=("up", "run", "status", "down"))
    parser.add_argument("--once", action="store_true", help="run: leave after the story, with its outcome")
    parser.add_argument(
        "--company", choices=("small", "large"), default="small", help="up and run: 44 accounts, or 320"
    )
    arguments = parser.parse_args()
    large = arguments.company == "large"
    signal.signal(signal.SIGTERM, _interrupted)
    folder = Path(os.environ.get("SIGNALBOX_LOCAL_DIR", ROOT / ".local"))
    try:
        machine = Machine(folder, os.environ)
        if arguments.command == "run":
            return run(machine, arguments.once, large)
        if arguments.command == "status":
            return status(machine)
        if arguments.command == "up":
            _print_addresses(machine.up(large=large)[0])
        else:
            print(f"stopped: {', '.join(machine.down()) or 'nothing was running'}")
    except (StackError, PackagingError, DeployError) as error:
        print(f"{arguments.command}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

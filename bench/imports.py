"""Cold import of each function's module from the zip, as a ratio to a hello-world packaged the same way.

Each import is a process of its own: an interpreter without site-packages that finds the unpacked zip and the
standard library. CPU time, best of many, all variants in turn: what else the machine does falls on all alike.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report import Line, Section
from infra.package import Package

ROUNDS = 15
HELLO = "hello-world"
BARE, KEEPING = "bare route", "route that keeps the body"
WANTED = {"api_handler": 1.5}
WANTED_ELSE = 1.25

Measured = dict[str, Any]

HELLO_APPS = {
    # One boto3 client and one pydantic model.
    "app": """\
import os

import boto3
from chalice import Chalice
from pydantic import BaseModel

app = Chalice(app_name="hello")
dynamodb = boto3.client("dynamodb")


class Greeting(BaseModel):
    name: str


@app.route("/")
def index():
    dynamodb.get_item(TableName=os.environ["HELLO_TABLE"], Key={"entry_id": {"S": "hello"}})
    return Greeting(name="world").model_dump()
""",
    # What any webhook's route does: it reads the body and says that it has it.
    "bare": """\
from chalice import Chalice, Response

app = Chalice(app_name="bare")


@app.route("/webhooks/{platform}", methods=["POST"], content_types=["*/*"])
def take(platform):
    return Response("ok", {"Content-Type": "text/plain"}, 200 if app.current_request.raw_body else 400)
""",
    # And one that keeps the body, as it is, before it says so.
    "keeping": """\
import os

import boto3
from chalice import Chalice, Response

app = Chalice(app_name="keeping")
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName=os.environ["HELLO_QUEUE"])["QueueUrl"]


@app.route("/webhooks/{platform}", methods=["POST"], content_types=["*/*"])
def take(platform):
    body = app.current_request.raw_body.decode()
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "0", "MessageBody": body}])
    return Response("ok", {"Content-Type": "text/plain"}, 200 if answer.get("Successful") else 503)
""",
}


@dataclass(frozen=True)
class Unpacked:
    """A zip as Lambda unpacks it, and the handlers in it by function."""

    code: Path
    handlers: dict[str, str]


def unpack(package: Package, folder: Path) -> Unpacked:
    code = folder / "signalbox"
    with zipfile.ZipFile(package.zip_file) as archive:
        archive.extractall(code)
    template = json.loads(package.template_file.read_text())
    prefix = f"signalbox-{package.stage}-"
    handlers = {
        made["Properties"]["FunctionName"].removeprefix(prefix): made["Properties"]["Handler"]
        for made in template["Resources"].values()
        if made["Type"] == "AWS::Serverless::Function"
    }
    return Unpacked(code, handlers)


def hello_world(ours: Unpacked) -> Unpacked:
    """The small Chalice apps that ours is compared to, with our packages, compiled as ours."""
    code = ours.code.with_name("hello")
    shutil.copytree(ours.code, code, ignore=shutil.ignore_patterns("chalicelib", ".chalice"))
    for module, text in HELLO_APPS.items():
        (code / f"{module}.py").write_text(text)
    command = [sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, *(f"{module}.py" for module in HELLO_APPS)], cwd=code, check=True)
    return Unpacked(code, {HELLO: "app.app", BARE: "bare.app", KEEPING: "keeping.app"})


def probe(
    unpacked: Unpacked, function: str, environment: dict[str, str], event: Any = None, repeat: int = 0
) -> Measured:
    """One fresh process; see probe.py. Raises RuntimeError with what the handler said when it failed."""
    handler = unpacked.handlers[function]
    job = {"code": str(unpacked.code), "handler": handler, "event": event, "repeat": repeat}
    script = Path(__file__).with_name("probe.py")
    command = [sys.executable, "-I", "-S", "-B", str(script)]
    done = subprocess.run(command, input=json.dumps(job), env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{function} failed in a fresh process: {done.stderr[-2000:]}")
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(ours: Unpacked, hello: Unpacked) -> Section:
    section = Section(
        "Cold import",
        f"CPU time of importing each function's module, best of {ROUNDS}, as a ratio to a Chalice "
        "hello-world with one boto3 client and one pydantic model. The interpreter's start is in neither.",
    )
    # boto3 asks for a region before it makes a client; nothing is called here.
    environment = {"AWS_DEFAULT_REGION": "eu-central-1", "SIGNALBOX_STAGE": "prod"}
    places = [(hello, HELLO), *((ours, name) for name in ours.handlers)]
    taken: dict[str, list[float]] = {name: [] for _, name in places}
    for _ in range(ROUNDS):
        for unpacked, name in places:
            taken[name].append(probe(unpacked, name, environment)["import"])
    least = min(taken[HELLO])
    for name in ours.handlers:
        ratio, want = min(taken[name]) / least, WANTED.get(name, WANTED_ELSE)
        section.lines.append(Line(name, f"{ratio:.2f}", f"at most {want}", ratio <= want))
        section.data[name] = round(ratio, 3)
    return section


def first_invocations(taken: dict[str, list[Measured]]) -> Section:
    """The same with the first invocation, which loads what the import put off."""
    section = Section(
        "Import and first invocation",
        "Another number than the one above: our imports are lazy, so the first invocation pays for what it "
        "needs. CPU time of the import and the whole first event, as a ratio to the hello-world, whose event "
        "is one GetItem. The functions do their real work: the API drafts a post for four channels, the "
        "tick reads the timetable, publish_posts publishes ten, run_chores mails an approver, ingest_events "
        "takes in ten comments, note_bounces a bounce, ensure_rounds looks at every account's timetable; "
        "the other jobs put a day's reads, a week's searches and every source of changes on theirs.",
    )
    totals = {name: min(one["import"] + one["first"] for one in rounds) for name, rounds in taken.items()}
    for name, total in totals.items():
        if name != HELLO:
            section.lines.append(Line(name, f"{total / totals[HELLO]:.2f}"))
            section.data[name] = round(total / totals[HELLO], 3)
    return section

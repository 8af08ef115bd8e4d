"""What ops do by hand: `python infra/admin.py --stage prod <command>`, with the usual AWS profile and region.

It goes through the same services as the API, so every change has its history row, under the operator's ARN.
With `--stage local` it works on the one-machine stack that `make up` started.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from chalicelib.org.model import Actor
    from chalicelib.wiring import Services

# Exit codes: it was refused, it cannot be asked like that, AWS did not do its part, Ctrl-C.
FAILED, MISUSED, NO_AWS, STOPPED = 1, 2, 3, 130


class AdminError(Exception):
    """Says in one sentence what is wrong and what to do."""


@dataclass(frozen=True)
class Place:
    """A stage: its services, its SSM for settings, who operates, and where secrets are typed."""

    stage: str
    services: "Services"
    ssm: Any
    operator: str
    ask: Callable[[str], str] = getpass.getpass

    @property
    def actor(self) -> "Actor":
        from chalicelib.org.model import operator

        return operator(self.operator, self.services.clock.now())


def connect(stage: str) -> Place:
    """The stage, with the caller's own AWS credentials. Raises AdminError where it cannot be."""
    os.environ["SIGNALBOX_STAGE"] = stage
    if stage == "local":
        _use_one_machine()
    import boto3

    from chalicelib.wiring import services

    arn = boto3.client("sts").get_caller_identity()["Arn"]
    return Place(stage, services(), boto3.client("ssm"), arn)


def _use_one_machine() -> None:
    from infra.local.stack import ROOT_CREDENTIALS, Machine

    folder = Path(os.environ.get("SIGNALBOX_LOCAL_DIR", ROOT / ".local"))
    stack = Machine(folder, os.environ).stack()
    if stack is None and "AWS_ENDPOINT_URL" not in os.environ:
        raise AdminError(f"there is no stack in {folder}; start it with `make up`, or name another --stage")
    if stack is None:
        return
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_DEFAULT_REGION"] = stack.aws_endpoint, stack.region
    os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = ROOT_CREDENTIALS


# Commands: each prints what it did


def first_lead(place: Place, asked: argparse.Namespace) -> None:
    """The company, and its first person, who may everything and adds everybody else."""
    from chalicelib.org.forms import Name, NewPerson

    class FirstLead(NewPerson):
        company: Name

    form = _checked(FirstLead, _given(asked, "company", "name", "email", "zone", "language"))
    person = place.services.org.first_lead(**form.model_dump(), actor=place.actor)
    print(f"{person.person_id} is {person.name}, the first lead of {form.company}.")


def issue_token(place: Place, asked: argparse.Namespace) -> None:
    """An API token for a person; it is shown this once."""
    from chalicelib.org.forms import NewToken

    form = _checked(NewToken, {"label": asked.label, "lives_for_days": asked.days})
    lives_for = timedelta(days=form.lives_for_days)
    text, token = place.services.org.issue_token(place.actor, asked.person_id, form.label, lives_for)
    print(text)
    print(f"It works until {token.expires_at:%Y-%m-%d %H:%M} UTC and is kept nowhere.", file=sys.stderr)


def add_account(place: Place, asked: argparse.Namespace) -> None:
    """An account, whose profile is read with its credentials first."""
    from chalicelib.accounts.forms import NewAccount

    names = (
        "platform", "server", "handle", "unit_id", "owner_id", "backup_id", "purpose", "audience",
        "external_id",
    )  # fmt: skip
    fields = _given(asked, *names)
    form = _checked(NewAccount, {**fields, "credentials": _credentials(place, asked.credentials_file)})
    account = place.services.accounts.add(place.actor, form.model_dump())
    print(f"{account.account_id} is {account.handle} on {account.server} ({account.platform}).")


def replace_credentials(place: Place, asked: argparse.Namespace) -> None:
    """New credentials for an account, tried out first; it is active again then."""
    from chalicelib.accounts.forms import NewCredentials

    form = _checked(NewCredentials, {"credentials": _credentials(place, asked.credentials_file)})
    account = place.services.accounts.replace_credentials(place.actor, asked.account_id, form.credentials)
    print(f"{account.account_id} ({account.handle} on {account.server}) is {account.status}.")


def parked(place: Place, asked: argparse.Namespace) -> None:
    """Every entry that could not run, with its last error."""
    entries = place.services.kernel.timetable.parked()
    for entry in sorted(entries, key=lambda e: e.due_at):
        since = f"{entry.parked_at:%Y-%m-%d %H:%M} UTC" if entry.parked_at else "?"
        print(f"{entry.entry_id}  {entry.kind} of {entry.ref}, parked {since}: {entry.last_error}")
    if not entries:
        print("Nothing is parked.")


def requeue(place: Place, asked: argparse.Namespace) -> None:
    """Let a parked entry run again, now."""
    kernel = place.services.kernel
    change = kernel.change(place.actor.by)
    change.add(kernel.timetable.requeue(asked.entry_id, change.now))
    change.record(f"entry#{asked.entry_id}", "requeued")
    kernel.commit(change)
    kernel.nudge([replace(kernel.timetable.get(asked.entry_id), due_at=change.now)])
    print(f"{asked.entry_id} runs again now.")


def redrive(place: Place, asked: argparse.Namespace) -> None:
    """Put a queue's dead letters back on the queue, after what they died of is mended; twice is harmless."""
    moved = place.services.kernel.queues.redrive(asked.queue)
    change = place.services.kernel.change(place.actor.by)
    change.record(f"queue#{asked.queue}", "redriven", messages=moved)
    place.services.kernel.commit(change)
    print(f"{moved} messages are back on {asked.queue}.")


def unknown_events(place: Place, asked: argparse.Namespace) -> None:
    """Every type of event that came in and that nothing here knows, with how often and when."""
    types = place.services.unknown_events.types()
    for kind in types:
        print(f"{kind.n:>8}  {kind.name.replace('#', ' ')}, first {kind.first_at}, last {kind.last_at}")
    if not types:
        print("Nothing unknown has come in.")


def webhook_secret(place: Place, asked: argparse.Namespace) -> None:
    """Set the secret that a platform signs with; the one before counts for some hours more."""
    from chalicelib.core.clock import to_text
    from chalicelib.platforms.registry import receiving_names

    if asked.platform not in receiving_names():
        raise AdminError(f"{asked.platform} is not a platform; choose one of {', '.join(receiving_names())}")
    path = place.services.settings.secret_path("webhooks", asked.platform, asked.app)
    before = place.services.secrets.find(path) or {}
    secret = place.ask("secret: ").strip() or before.get("secret", "")
    if not secret:
        raise AdminError("there is no secret yet, and without one no delivery is accepted")
    values = {**before, "secret": secret}
    if before.get("secret") and secret != before["secret"]:
        until = place.services.clock.now() + timedelta(hours=asked.retire_in_hours)
        values |= {"previous": before["secret"], "previous_until": to_text(until)}
    if asked.verify_token:
        values["verify_token"] = place.ask("verify token: ").strip()
    place.services.secrets.put(path, values)
    change = place.services.kernel.change(place.actor.by)
    change.record(f"webhook#{asked.platform}#{asked.app}", "secret set", names=sorted(values))
    place.services.kernel.commit(change)
    old = f"; the one before counts until {values['previous_until']}" if "previous_until" in values else ""
    print(f"{path} is set{old}. Deliveries to /webhooks/{asked.platform} are read with it from now on.")


def show_post(place: Place, asked: argparse.Namespace) -> None:
    """A post with its variants, its approvals and its history."""
    post = place.services.posts.show(asked.post_id)
    print(f"{post['post_id']}  {post['title']}")
    print(f"  {post['state']}, for {post['publish_at']} ({post['zone']}), by {post['author_id']}")
    print("variants")
    for variant in post["variants"]:
        print(f"  {variant['state']:<11}{variant['handle']} ({variant['platform']})  {variant['variant_id']}")
        for name in ("due_at", "published_at", "url", "reason"):
            if variant[name]:
                print(f"    {name:<13}{variant[name]}")
    print("approvals")
    for request in place.services.approvals.of_subject(f"post#{asked.post_id}"):
        stage = request.stages[request.stage].name if request.stages else "no stage"
        why = f": {request.why}" if request.why else ""
        print(f"  {request.state:<11}{request.request_id}  stage {stage}{why}")
        for decision in request.decisions:
            print(f"    {decision.verdict} by {decision.person_id}")
    print("history")
    for row in post["history"]:
        why = f": {row['why']}" if row["why"] else ""
        print(f"  {row['at']}  {row['what']} by {row['person_id']} ({row['way']}){why}")


def set_setting(place: Place, asked: argparse.Namespace) -> None:
    """Change a setting of the stage."""
    value = _setting(place, asked.name, asked.value)
    path = f"/signalbox/{place.stage}/settings/{asked.name}"
    before = place.ssm.get_parameter(Name=path)["Parameter"]["Value"]
    place.ssm.put_parameter(Name=path, Value=value, Type="String", Overwrite=True)
    change = place.services.kernel.change(place.actor.by)
    change.record(f"setting#{asked.name}", "changed", before=before, after=value)
    place.services.kernel.commit(change)
    print(f"{asked.name} is {value} (it was {before}). Functions take it up when they start next.")


def _setting(place: Place, name: str, value: str) -> str:
    from chalicelib.accounts.model import server_address
    from chalicelib.org.forms import email_address
    from chalicelib.org.model import one_line

    def hosts(text: str) -> str:
        if place.stage != "local" and text != "-":
            raise ValueError("private hosts are for the one-machine stack; elsewhere it stays '-'")
        return text

    checks: Mapping[str, Callable[[str], str]] = {
        "public_url": server_address,
        "mail_from": email_address,
        "company": one_line,
        "allowed_hosts": hosts,
    }
    if name not in checks:
        raise AdminError(f"{name} is not a setting; choose one of {', '.join(checks)}")
    try:
        return checks[name](value)
    except ValueError as error:
        raise AdminError(f"{name} {error}") from error


# Input


def _given(asked: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}


def _checked(form: Any, fields: dict[str, Any]) -> Any:
    from chalicelib.core.endpoint import parse_body

    return parse_body(form, json.dumps(fields).encode())


def _credentials(place: Place, file: str | None) -> Any:
    """The network's credentials: from a JSON file, from standard input ('-'), or typed unseen."""
    if file is None:
        names = ", ".join(("access_token", "identifier", "password"))
        typed: dict[str, str] = {}
        while name := input(f"name of a credential, such as {names} (empty: no more): ").strip():
            typed[name] = place.ask(f"{name}: ")
        return typed
    source = "standard input" if file == "-" else file
    try:
        read = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except ValueError:  # its message would quote what was read
        raise AdminError(f'{source} is not JSON; write it like {{"access_token": "..."}}') from None
    if not isinstance(read, dict):
        raise AdminError(f'{source} must hold one JSON object, like {{"access_token": "..."}}')
    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="What ops do by hand. Every change is in history.")
    parser.add_argument("--stage", required=True, help="prod, or `local` for the one-machine stack")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(run: Callable[[Place, argparse.Namespace], None], *names: str) -> argparse.ArgumentParser:
        words = (run.__doc__ or "").strip()
        made = commands.add_parser(run.__name__.replace("_", "-"), help=words, description=words)
        made.set_defaults(run=run)
        for name in names:
            made.add_argument(name)
        return made

    lead = command(first_lead)
    for name in ("--company", "--name", "--email"):
        lead.add_argument(name, required=True)
    lead.add_argument("--zone", required=True, help="an IANA time zone, such as Europe/Warsaw")
    lead.add_argument("--language", required=True, help="en, pl or fa")
    token = command(issue_token, "person_id")
    token.add_argument("--label", required=True, help="what it is for, such as 'laptop'")
    token.add_argument("--days", type=int, default=90, help="how long it works (90; at most 366)")
    account = command(add_account)
    for name in ("--platform", "--handle", "--unit-id", "--owner-id"):
        account.add_argument(name, required=True)
    for name in ("--server", "--backup-id", "--purpose", "--audience", "--external-id"):
        account.add_argument(name)
    for made in (account, command(replace_credentials, "account_id")):
        made.add_argument(
            "--credentials-file", help="a JSON object; '-' is standard input; else they are typed"
        )
    command(parked)
    command(requeue, "entry_id")
    command(redrive).add_argument("queue", choices=("publish", "chores", "inbound", "bounces"))
    command(unknown_events)
    secret = command(webhook_secret, "platform")
    secret.add_argument("--app", default="default", help="which of several apps of the company")
    secret.add_argument(
        "--retire-in-hours",
        type=int,
        default=24,
        help="how long the secret before counts (24; 0: not at all)",
    )
    secret.add_argument("--verify-token", action="store_true", help="ask for a verify token too (Meta)")
    command(show_post, "post_id")
    command(set_setting, "name", "value")
    return parser


def main(arguments: list[str] | None = None, reach: Callable[[str], Place] = connect) -> int:
    """Run one command and return its exit code; whatever goes wrong is told in a sentence."""
    from botocore.exceptions import BotoCoreError, ClientError

    from chalicelib.core.errors import InvalidInput, SignalboxError

    asked = _parser().parse_args(arguments)
    try:
        asked.run(reach(asked.stage), asked)
    except InvalidInput as error:
        for problem in error.problems:
            print(f"{problem.field}: {problem.message}", file=sys.stderr)
        return MISUSED
    except (SignalboxError, AdminError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except (BotoCoreError, ClientError) as error:
        print(f"AWS: {error} - check the profile, the region and --stage", file=sys.stderr)
        return NO_AWS
    except (OSError, EOFError) as error:
        print(f"{error or 'the input ended'}; nothing was changed", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return STOPPED
    except Exception as error:
        print(
            f"this command is broken ({type(error).__name__}); report it with what you typed", file=sys.stderr
        )
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())

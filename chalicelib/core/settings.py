"""The environment and the stage's settings, read once.

The stage comes from the function's environment; what differs by company (public address, sender) lives
in SSM parameters that infra/template.yaml creates, so that it can change without a deployment.
"""

import os
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib.core.errors import Misconfigured

APP = "signalbox"


def stage() -> str:
    """The stage this process belongs to; `local` when nothing says otherwise."""
    return os.environ.get("SIGNALBOX_STAGE", "local")


def resource(name: str, of_stage: str | None = None) -> str:
    """The full name of a table or queue, such as `signalbox-prod-posts`."""
    return f"{APP}-{of_stage or stage()}-{name}"


@dataclass(frozen=True)
class Settings:
    """What a stage is set up with; `allowed_hosts` and `poll_every` are for one-machine stages only.

    `allowed_hosts` may be called although they are private (core/http.py). `poll_every`, where it is set, is
    how often accounts are polled instead of what their network allows.
    """

    stage: str
    public_url: str
    mail_from: str
    media_bucket: str
    company: str = "Signalbox"
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    poll_every: timedelta | None = None

    @classmethod
    def from_parameters(cls, of_stage: str, values: dict[str, str]) -> "Settings":
        """Settings from `/signalbox/<stage>/settings/*`.

        Raises Misconfigured naming the parameter that is missing.
        """
        for name in ("public_url", "mail_from", "media_bucket"):
            if not values.get(name):
                path = f"/{APP}/{of_stage}/settings/{name}"
                raise Misconfigured(f"the setting {path} is missing; deploy infra/template.yaml again")
        hosts = values.get("allowed_hosts", "-")
        seconds = values.get("poll_seconds", "-")
        return cls(
            stage=of_stage,
            public_url=values["public_url"].rstrip("/"),
            mail_from=values["mail_from"],
            media_bucket=values["media_bucket"],
            company=values.get("company", "Signalbox"),
            allowed_hosts=frozenset(h.strip() for h in hosts.split(",") if h.strip() not in ("", "-")),
            poll_every=timedelta(seconds=int(seconds)) if seconds != "-" else None,
        )

    def table(self, name: str) -> str:
        return resource(name, self.stage)

    def queue(self, name: str) -> str:
        return resource(name, self.stage)

    def secret_path(self, *parts: str) -> str:
        return "/".join(("", APP, self.stage, *parts))

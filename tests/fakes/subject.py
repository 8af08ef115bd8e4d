"""Something that can be approved, in memory, whose outcomes are rows of the deciding transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.approvals.model import Changed, ChannelPreview, MediaPreview, Preview, Request, What
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from tests.fakes.stage import Stage


def picture(name: str = "tram", size: int = 2_000, alt: str = "A tram at dawn") -> MediaPreview:
    return MediaPreview(
        alt=alt,
        mime="image/png",
        url=f"https://media.signalbox.test/{name}.png",
        read=lambda: name.encode().ljust(size, b"."),
        size=size,
        width=640,
        height=400,
    )


def channel(
    handle: str = "@zorza", text: str = "Nowa linia rusza w poniedziałek.", **more: Any
) -> ChannelPreview:
    return replace(ChannelPreview("mastodon", handle, "Zorza", "Warszawa", text, "pl"), **more)


@dataclass
class FakeSubject:
    """`shown` is the preview of every revision, and `current` says which of them is the latest."""

    stage: Stage
    shown: Preview
    current: str = "rev1"

    @classmethod
    def of(cls, stage: Stage, publish_at: datetime | None) -> "FakeSubject":
        channels = (channel("@zorza"), channel("@lotte"), channel("zorza.test", platform="bluesky"))
        return cls(stage, Preview("New tram line", publish_at, "Europe/London", "Ada", channels, (), "rev1"))

    def preview(self, subject: str, revision: str) -> Preview:
        changes = (
            ()
            if revision == self.current
            else (Changed(What.TEXT, "old words", "new words", ("@zorza (mastodon)",)),)
        )
        return replace(self.shown, changes=changes or self.shown.changes, current_revision=self.current)

    def granted(self, change: Change, request: Request) -> None:
        self._settle(change, request, "granted")

    def declined(self, change: Change, request: Request, outcome: str, by_name: str, words: str) -> None:
        self._settle(change, request, str(outcome))

    def _settle(self, change: Change, request: Request, outcome: str) -> None:
        key = {"pk": request.subject, "sk": f"{request.request_id}#{change.change_id}"}
        change.put("posts", {**key, "outcome": outcome, "revision": request.revision})

    def settlements(self, request: Request) -> list[str]:
        """What the committed transactions said of a request."""
        key = where("pk = :p AND begins_with(sk, :r)", p=request.subject, r=f"{request.request_id}#")
        return [i["outcome"] for i in self.stage.database.query_all("posts", key)]

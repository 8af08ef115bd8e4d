"""What callers send to the publishing routes, and what they get back; validated once, here."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.publishing.model import LateAction


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"{zone} is not a time zone we know; use a name like Europe/Warsaw")
    return zone


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~.-]{1,120}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MediaIn(Form):
    media_id: Id
    alt: str = Field("", max_length=2000, description="What the picture shows, for those who cannot see it.")


class OverrideIn(Form):
    text: str | None = Field(None, max_length=70_000)
    media: list[MediaIn] | None = Field(None, max_length=20)
    options: dict[str, str] = Field(default_factory=dict, max_length=10)


class LateIn(Form):
    action: LateAction = LateAction.PUBLISH
    grace_minutes: int = Field(30, ge=1, le=1440)


class PostIn(Form):
    """A post: what is said, to which accounts, when. `publish_at` with an offset, or a local time in `zone`."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    text: str = Field("", max_length=70_000)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    media: list[MediaIn] = Field(default_factory=list, max_length=20)
    targets: list[Id] = Field(min_length=1, max_length=500)
    overrides: dict[Id, OverrideIn] = Field(default_factory=dict)
    publish_at: datetime
    zone: Zone = "UTC"
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    late: LateIn = Field(default_factory=LateIn)

    @model_validator(mode="after")
    def _whole(self) -> "PostIn":
        problems = []
        if len(set(self.targets)) != len(self.targets):
            problems.append("targets names an account twice")
        strangers = sorted(set(self.overrides) - set(self.targets))
        if strangers:
            problems.append(f"overrides names accounts that are not targets: {', '.join(strangers)}")
        if self.publish_at.tzinfo is None:
            self.publish_at, problem = local_instant(self.publish_at, self.zone)
            problems += [problem] if problem else []
        if problems:
            raise ValueError("; ".join(problems))
        return self


def local_instant(wall: datetime, zone: str) -> tuple[datetime, str | None]:
    """The instant of a wall-clock time, and a sentence when that time does not exist or comes twice.

    An hour that daylight saving skips has no instant, and one that it repeats has two (PEP 495): both are
    refused, because a guess would be an hour wrong.
    """
    place = ZoneInfo(zone)
    early, late = wall.replace(tzinfo=place, fold=0), wall.replace(tzinfo=place, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early, None
    clock_goes_forward = (early.utcoffset() or 0) < (late.utcoffset() or 0)  # type: ignore[operator]
    what = "does not exist" if clock_goes_forward else "comes twice"
    return early, f"publish_at: {wall:%H:%M} on {wall:%Y-%m-%d} {what} in {zone}; send it with an offset"


class PostPatch(Form):
    """Some fields of a post; what is not sent stays."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    text: str | None = Field(None, max_length=70_000)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    media: list[MediaIn] | None = Field(None, max_length=20)
    targets: list[Id] | None = Field(None, min_length=1, max_length=500)
    overrides: dict[Id, OverrideIn] | None = None
    publish_at: datetime | None = None
    zone: Zone | None = None
    tags: list[Tag] | None = Field(None, max_length=20)
    late: LateIn | None = None
    version: int | None = Field(None, description="The version you changed; refused if it is not the latest.")


class Why(Form):
    why: Words


class RescheduleIn(Form):
    publish_at: datetime
    zone: Zone | None = None


class MediaUploadIn(Form):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    mime: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$")]


class HoldIn(Form):
    scope: Literal["all", "unit", "account", "platform", "tag"]
    value: str = Field("", max_length=120)
    reason: Words

    @model_validator(mode="after")
    def _value(self) -> "HoldIn":
        if self.scope != "all" and not self.value:
            raise ValueError(f"value: say which {self.scope}")
        return self


class ReleaseIn(Form):
    action: Literal["publish", "reschedule", "drop"]
    at: AwareDatetime | None = None
    why: Words


class SettleIn(Form):
    """What a person found when they looked for a post whose outcome was unknown."""

    is_there: bool
    url: str = Field("", max_length=500, pattern=r"^(https?://\S+)?$")
    why: Words


def patched(body: PostPatch | RescheduleIn, zone: str) -> dict[str, object]:
    """The fields that were sent; a wall-clock time is read in the zone sent, or else the post's.

    Raises InvalidInput for a wall-clock time that does not exist or comes twice.
    """
    fields = body.model_dump(exclude_unset=True, exclude={"version"})
    fields = {name: value for name, value in fields.items() if value is not None}
    publish_at = fields.get("publish_at")
    if publish_at is not None and publish_at.tzinfo is None:
        fields["publish_at"], problem = local_instant(publish_at, str(fields.get("zone", zone)))
        if problem:
            raise InvalidInput([Problem("publish_at", problem.removeprefix("publish_at: "))])
    return fields


class ProblemOut(BaseModel):
    field: str
    message: str
    over: int | None = None


class VariantOut(BaseModel):
    variant_id: str
    account_id: str
    platform: str
    handle: str
    state: str
    reason: str | None
    due_at: datetime
    published_at: datetime | None
    url: str | None
    external_id: str | None


class PreviewOut(BaseModel):
    """One variant as it would go out: its text and media, counted as that platform counts."""

    account_id: str
    platform: str
    handle: str
    text: str
    media: list[dict[str, str | int | None]]
    characters: int
    limit: int
    counted_in: str
    problems: list[ProblemOut]


class PostOut(BaseModel):
    post_id: str
    title: str
    text: str
    language: str
    media: list[dict[str, str | int | None]]
    targets: list[str]
    overrides: dict[str, dict[str, object]]
    publish_at: datetime
    zone: str
    tags: list[str]
    late: LateIn
    state: str
    revision: str
    request_id: str | None
    returned_with: str | None
    author_id: str
    contributors: list[str]
    version: int
    summary: dict[str, int]
    variants: list[VariantOut]
    problems: list[ProblemOut] = Field(default_factory=list)


class PostsOut(BaseModel):
    posts: list[PostOut]
    cursor: str | None


class HistoryRowOut(BaseModel):
    subject: str
    at: datetime
    person_id: str
    way: str
    what: str
    why: str | None
    details: dict[str, object]


class MediaOut(BaseModel):
    media_id: str
    state: str
    mime: str
    name: str
    size: int | None
    width: int | None
    height: int | None
    reason: str | None
    upload: dict[str, object] | None = None


class HoldOut(BaseModel):
    hold_id: str
    scope: str
    value: str
    reason: str
    by_id: str
    at: datetime
    state: str
    counted: bool
    lifted_at: datetime | None


class ReceiptOut(BaseModel):
    hold: HoldOut
    stopped: list[dict[str, str | None]]
    in_flight: list[dict[str, str | None]]
    already_out: list[dict[str, str | None]]

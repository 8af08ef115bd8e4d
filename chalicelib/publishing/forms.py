"""What callers send to the publishing routes, and what they get back; validated once, here."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from chalicelib.core.listings import HistoryRow, Paging
from chalicelib.publishing.model import LateAction, PostState


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"{zone} is not a time zone we know; use a name like Europe/Warsaw")
    return zone


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~.-]{1,120}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$", to_lower=True)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
Option = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PostsQuery(Paging):
    state: PostState | None = None


class MediaIn(Form):
    media_id: Id
    alt: str = Field("", max_length=2000, description="What the picture shows, for those who cannot see it.")


class OverrideIn(Form):
    text: str | None = Field(None, max_length=70_000)
    media: list[MediaIn] | None = Field(None, max_length=20)
    options: dict[Option, Annotated[str, StringConstraints(max_length=2000)]] = Field(
        default_factory=dict, max_length=10
    )


class LateIn(Form):
    action: LateAction = LateAction.PUBLISH
    grace_minutes: Annotated[int, Field(ge=1, le=1440)] = 30


class PostIn(Form):
    """What is said, to which accounts, when; `publish_at` with an offset, or as clocks in `zone` show it."""

    title: Title
    text: str = Field("", max_length=70_000)
    language: Language = "en"
    media: list[MediaIn] = Field(default_factory=list, max_length=20)
    targets: list[Id] = Field(min_length=1, max_length=500)
    overrides: dict[Id, OverrideIn] = Field(default_factory=dict)
    publish_at: datetime
    zone: Zone = "UTC"
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    late: LateIn = LateIn()


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
    return early, f"{wall:%H:%M} on {wall:%Y-%m-%d} {what} in {zone}; send it with an offset"


class PostPatch(Form):
    """Some fields of a post; what is not sent stays."""

    title: Title | None = None
    text: str | None = Field(None, max_length=70_000)
    language: Language | None = None
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
        if self.scope == "tag":
            self.value = TypeAdapter(Tag).validate_python(self.value)  # as posts have it, or it stops nothing
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


def patched(body: PostPatch | RescheduleIn) -> dict[str, object]:
    """The fields that were sent, each of them whole: what a nested one leaves out has its default."""
    sent = body.model_fields_set - {"version"}
    return {name: value for name, value in body.model_dump(include=sent).items() if value is not None}


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


class ApprovalOut(BaseModel):
    """An approval request in short; /v1/approvals/{request_id} has all of it."""

    request_id: str
    revision: str
    state: str
    stage: str
    asked_by: str
    opened_at: datetime
    settled_at: datetime | None
    why: str | None


class PostHistoryOut(BaseModel):
    history: list[HistoryRow]
    approvals: list[ApprovalOut]


class PreviewsOut(BaseModel):
    variants: list[PreviewOut]


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


class HoldsOut(BaseModel):
    holds: list[HoldOut]


class ReceiptOut(BaseModel):
    hold: HoldOut
    stopped: list[dict[str, str | None]]
    in_flight: list[dict[str, str | None]]
    already_out: list[dict[str, str | None]]

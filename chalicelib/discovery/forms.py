"""What the API takes about finding accounts."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chalicelib.accounts.model import server_address
from chalicelib.core.listings import Paging
from chalicelib.core.urls import Target
from chalicelib.discovery.model import Source, State
from chalicelib.discovery.settings import Settings
from chalicelib.discovery.triage import Verdict
from chalicelib.org.model import one_line


def _page(text: str) -> str:
    try:
        target = Target.of(text)
    except ValueError as error:
        raise ValueError(f"must be the address of a page: {error}") from None
    if target.scheme != "https" or urlsplit(text).fragment:
        raise ValueError("must be an https address without a fragment")
    return text


def _line_or_nothing(text: str) -> str:
    return one_line(text) if text.strip() else ""


Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Name = Annotated[str, Field(min_length=3, max_length=100), AfterValidator(one_line)]
Page = Annotated[str, Field(max_length=1000), AfterValidator(_page)]
Server = Annotated[str, Field(max_length=255), AfterValidator(server_address)]
Platform = Annotated[str, Field(pattern=r"^[a-z]{1,32}$")]
Words = Annotated[str, Field(max_length=1000), AfterValidator(_line_or_nothing)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewSettings(Form):
    """Replaces all of the settings; `version` is the one that was read, 0 the first time."""

    brands: Annotated[list[Name], Field(max_length=100)] = []
    sites: Annotated[list[Page], Field(max_length=100)] = []
    servers: Annotated[
        dict[Platform, Annotated[list[Server], Field(max_length=20)]], Field(max_length=10)
    ] = {}
    version: Annotated[int, Field(ge=0)] = 0

    def settings(self) -> Settings:
        servers = {platform: tuple(dict.fromkeys(given)) for platform, given in self.servers.items()}
        return Settings(
            tuple(dict.fromkeys(self.brands)), tuple(dict.fromkeys(self.sites)), servers, self.version
        )


class CandidatesQuery(Paging):
    state: State = State.NEW
    unit: Id | None = None


class NewVerdict(Form):
    """`new` takes a verdict back. Only a claimed account has a unit and an owner of ours."""

    verdict: State
    same_as: Id | None = None
    unit_id: Id | None = None
    owner_id: Id | None = None
    why: Words = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.same_as and self.verdict != State.DUPLICATE:
            raise ValueError("same_as goes with the verdict duplicate only")
        if (self.unit_id or self.owner_id) and self.verdict not in (State.OFFICIAL, State.DUPLICATE):
            raise ValueError("unit_id and owner_id go with the verdicts official and duplicate only")
        return self

    def ruling(self) -> Verdict:
        return Verdict(self.verdict, self.same_as, self.unit_id, self.owner_id, self.why or None)


class NewReports(Form):
    """A table in which one cell of a row is a profile's address: `export` of a web search, or `report`s."""

    source: Literal["export", "report"]
    csv: Annotated[str, Field(min_length=1, max_length=900_000)]

    @property
    def kind(self) -> Source:
        return Source(self.source)

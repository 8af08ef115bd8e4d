"""What callers send about changes of platforms; validated once, here, with every problem reported at once."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chalicelib.core.listings import Day, Paging
from chalicelib.org.model import one_line
from chalicelib.platform_changes.changes import Wanted
from chalicelib.platform_changes.model import OPEN, Finding, Kind, Status
from chalicelib.platform_changes.recording import LONGEST_NAME, LONGEST_TEXT, LONGEST_TITLE
from chalicelib.platform_changes.store import OwnSource

Platform = Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
Title = Annotated[str, Field(max_length=LONGEST_TITLE), AfterValidator(one_line)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(one_line)]
Names = Annotated[list[Name], Field(max_length=40)]
Phrases = Annotated[list[Name], Field(max_length=20)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,900}$")]
Source = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]{1,900}$")]
SOONEST_MINUTES, LATEST_MINUTES = 15, 7 * 24 * 60


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChangesQuery(Paging):
    """Which changes, and which page of them; open ones unless `status` or `open` says otherwise."""

    open: bool = True
    platform: Platform | None = None
    status: Status | None = None
    kind: Kind | None = None
    touching: bool | None = Field(None, description="Only those that concern calls of ours, or only others.")

    def wanted(self) -> Wanted:
        is_open = self.open if self.status is None else self.status in OPEN
        return Wanted(is_open, self.platform, self.kind, self.status, self.touching)


class _Plan(_Form):
    kind: Kind = Kind.NEW
    effective_on: Day | None = None
    touching: Names = Field([], description="The calls of ours that it concerns, by their names.")
    owner_id: Annotated[str, Field(max_length=80, pattern=r"^[A-Za-z0-9_.-]*$")] = ""

    @property
    def corrections(self) -> dict[str, Any]:
        """Only the fields that were sent."""
        names = {"kind", "status", "effective_on", "touching", "owner_id", "due_on", "title"}
        return {name: getattr(self, name) for name in self.model_fields_set & names}


class NewChange(_Plan):
    """A change that somebody has heard of. What is not said is found out as for every other."""

    platform: Platform
    title: Title
    text: Text = ""
    url: Url | None = None
    operations: Names = Field([], description='As "POST /2/tweets".')
    fields: Names = []
    versions: Names = []

    def finding(self, key: str) -> Finding:
        return Finding(
            key=key,
            title=self.title,
            text=self.text,
            url=self.url or "",
            effective_on=self.effective_on,
            operations=tuple(self.operations),
            fields=tuple(self.fields),
            versions=tuple(self.versions),
        )

    @property
    def corrections(self) -> dict[str, Any]:
        """What the finding does not say by itself."""
        said = super().corrections
        return {name: value for name, value in said.items() if name not in ("title", "effective_on")}


class ChangeCorrection(_Plan):
    """Only the fields that are sent change. `planned` needs an owner and a day.

    With `remember`, what was said of kind or status becomes a rule of the company: of this platform, for
    whatever has one of `words`, or names the `operation`.
    """

    version: int = Field(ge=1, description="Of the change as you saw it.")
    title: Title = ""
    status: Status = Status.NEW
    due_on: Day | None = None
    remember: bool = False
    words: Phrases = Field([], description="`deprecat*` is a word that begins so, `...` up to four words.")
    operation: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    why: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> "ChangeCorrection":
        if not self.corrections:
            fields = "kind, status, touching, effective_on, due_on, owner_id, title"
            raise ValueError(f"say what is to be another: {fields}")
        if (self.words or self.operation) and not self.remember:
            raise ValueError("words and operation are for a rule: send remember with them")
        return self


class NewNote(_Form):
    text: Note


class SourceIn(_Form):
    """What the company sets of a source; what is left out is as the application knows it."""

    version: int = Field(ge=0, description="Of the company's setting as you saw it; 0 where there was none.")
    url: Source | None = None
    off: bool = False
    every_minutes: Annotated[int, Field(ge=SOONEST_MINUTES, le=LATEST_MINUTES)] | None = None

    def own(self) -> OwnSource:
        return OwnSource(self.url or "", self.off, self.every_minutes, self.version)


class NewRule(_Form):
    """`kind` is what it says a change is, `ours` whether it concerns us; one of them at least.

    It decides about what has one of `words` and, where it is given, names the `operation`.
    """

    kind: Kind | None = None
    ours: bool | None = None
    words: Phrases = []
    operation: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    platform: Platform | None = Field(None, description="Left out: every platform.")
    why: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _decides(self) -> "NewRule":
        missing = []
        if self.kind is None and self.ours is None:
            missing.append("say what it decides: kind, ours, or both")
        if not self.words and not self.operation:
            missing.append("say by what: words, operation, or both")
        if missing:
            raise ValueError("; ".join(missing))
        return self

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "is_ours": self.ours,
            "words": tuple(self.words),
            "operation": self.operation,
            "platform": self.platform or "",
            "why": self.why,
        }

"""What callers send about takedown cases; validated once, here, with every problem reported at once."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from chalicelib.core.listings import Paging
from chalicelib.org.model import one_line
from chalicelib.takedowns.channels import Asked, Company, How, Trademark
from chalicelib.takedowns.model import (
    ENDED,
    LONGEST_REFERENCE,
    LONGEST_WHY,
    EvidenceKind,
    Harm,
    Kind,
    State,
)
from chalicelib.takedowns.service import Wanted

Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_WHY)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WHY)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,1000}$")]
Address = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,1000}$|^\{(profile_url|server)\}[^\s<>\"]{0,200}$")
]


def _one_line_or_nothing(text: str) -> str:
    return one_line(text) if text.strip() else ""


Line = Annotated[str, Field(max_length=300), AfterValidator(_one_line_or_nothing)]
Reference = Annotated[str, Field(max_length=LONGEST_REFERENCE), AfterValidator(_one_line_or_nothing)]
FACTS = (
    "contact_name", "contact_email", "contact_phone", "relationship", "legal_name", "postal_address",
    "website", "profile_url", "handle", "our_profile_url", "trademark", "registration_number",
    "registration_country", "registration_url", "goods", "category", "what_happened", "evidence",
    "statements", "signature",
)  # fmt: skip


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CasesQuery(Paging):
    """Which cases, and which page of them; open ones unless `state` or `open` says otherwise."""

    open: bool = True
    state: State | None = None
    platform: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")] | None = None
    unit: Id | None = Field(None, description="And all below it.")
    kind: Kind | None = None
    harm: Harm | None = None
    account: Id | None = None

    def wanted(self) -> Wanted:
        is_open = self.open if self.state is None else self.state not in ENDED
        return Wanted(is_open, self.state, self.platform, self.unit, self.kind, self.harm, self.account)


class NewCase(_Form):
    """`owner_id`: who sees to it, you where it is left out; `original_id`: the account of ours it copies."""

    account_id: Id
    kind: Kind
    harm: Harm
    why: Words = Field("", description="What it does, in the words that the platform is to read.")
    owner_id: Id | None = None
    original_id: Id | None = None
    mark_name: Line = Field("", description="Which of the company's trademarks; the first where left out.")


class CaseChange(_Form):
    """Only the fields that are sent change."""

    version: int = Field(ge=1, description="Of the case as you saw it.")
    harm: Harm = Harm.MEDIUM
    owner_id: Id = ""
    original_id: Id | None = None
    mark_name: Line = ""

    @property
    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set - {"version"}}


class NewStep(_Form):
    version: int = Field(ge=1, description="Of the case as you saw it.")
    step: State
    reference: Reference = Field("", description="The platform's number of the report.")
    why: Words = ""


class NewEvidence(_Form):
    """A `link` needs a url, a `note` a text, a `screen` a mime; a `profile` is read from the platform now."""

    kind: EvidenceKind
    url: Url | None = None
    text: Said | None = None
    mime: Annotated[str, Field(max_length=40)] | None = None
    name: Line = ""

    @model_validator(mode="after")
    def _fits(self) -> "NewEvidence":
        needs = {EvidenceKind.LINK: "url", EvidenceKind.NOTE: "text", EvidenceKind.SCREEN: "mime"}
        needed = needs.get(self.kind)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"evidence of the kind {self.kind} needs {needed}")
        return self


class TrademarkIn(_Form):
    name: Annotated[str, Field(max_length=100), AfterValidator(one_line)]
    number: Line = ""
    country: Line = ""
    url: Url | Literal[""] = ""
    goods: Line = ""


class CompanyIn(_Form):
    """Who reports, as forms ask it."""

    version: int = Field(ge=0, description="Of what you saw; 0 where nothing was set.")
    legal_name: Line = ""
    postal_address: Annotated[str, Field(max_length=500)] = ""
    website: Url | Literal[""] = ""
    contact_name: Line = ""
    contact_email: Annotated[str, Field(max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+$")] = ""
    contact_phone: Line = ""
    relationship: Line = Field("", description="Of the contact to the company, such as: employee.")
    trademarks: Annotated[list[TrademarkIn], Field(max_length=50)] = []

    def company(self) -> Company:
        fields = self.model_dump(exclude={"trademarks"})
        return Company(**fields, trademarks=tuple(Trademark(**t.model_dump()) for t in self.trademarks))


class AskedIn(_Form):
    label: Annotated[str, Field(max_length=200), AfterValidator(one_line)]
    fact: Literal[FACTS]  # type: ignore[valid-type]


class ChannelIn(_Form):
    """What the company knows better; what is left out is as the application knows it."""

    version: int = Field(ge=0, description="Of the company's setting as you saw it; 0 where there was none.")
    how: How = How.FORM
    url: Address | Literal[""] = ""
    address: Annotated[str, Field(max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+$")] = ""
    path: Annotated[list[Line], Field(max_length=10)] = []
    fields: Annotated[list[AskedIn], Field(max_length=40)] = []
    category: Line = ""
    languages: Annotated[list[Literal["en", "pl", "fa"]], Field(min_length=1, max_length=3)] = ["en"]
    answer_days: Annotated[int, Field(ge=1, le=90)] = 5

    @property
    def changes(self) -> dict[str, Any]:
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"version"}}
        if "fields" in sent:
            sent["fields"] = [Asked(one.label, one.fact) for one in self.fields]
        return {name: tuple(value) if isinstance(value, list) else value for name, value in sent.items()}

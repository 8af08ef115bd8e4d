"""What the API takes about accounts. Credentials go in here and never come out."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chalicelib.accounts.model import AccountClass, AccountStatus, RogueKind, server_address
from chalicelib.core.listings import Paging
from chalicelib.org.model import one_line
from chalicelib.platforms import registry


def _handle(text: str) -> str:
    cleaned = one_line(text)
    if any(char.isspace() or char in "#/" for char in cleaned):
        raise ValueError("must be a handle like '@name' or 'name.example.org'")
    return cleaned


def _line_or_nothing(text: str) -> str:
    return one_line(text) if text.strip() else ""


def _web_address(text: str) -> str:
    problem = "must be a web address like 'https://www.example.org/name'"
    try:
        parts = urlsplit(text.strip())
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        raise ValueError(problem) from None
    if not is_web or any(char.isspace() or not char.isprintable() for char in text.strip()):
        raise ValueError(problem)
    return text.strip()


def _address_or_nothing(text: str) -> str:
    return _web_address(text) if text.strip() else ""


Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Line = Annotated[str, Field(max_length=300), AfterValidator(_line_or_nothing)]
MaybeId = Annotated[str, Field(max_length=80, pattern=r"^[A-Za-z0-9_.-]*$")]
Handle = Annotated[str, Field(max_length=253), AfterValidator(_handle)]
FullLine = Annotated[str, Field(max_length=300), AfterValidator(one_line)]
Lines = Annotated[tuple[FullLine, ...], Field(max_length=20)]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]  # BCP 47
Languages = Annotated[tuple[Language, ...], Field(max_length=20)]
WebAddress = Annotated[str, Field(max_length=1000), AfterValidator(_web_address)]
WebAddresses = Annotated[tuple[WebAddress, ...], Field(max_length=10)]
MaybeWebAddress = Annotated[str, Field(max_length=1000), AfterValidator(_address_or_nothing)]
PlatformName = Annotated[str, Field(pattern=r"^[a-z]{1,32}$")]
Server = Annotated[str, Field(max_length=255), AfterValidator(server_address)]
Credential = Annotated[str, Field(min_length=1, max_length=4000)]
CredentialName = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
ExternalId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.:@/=-]+$")]
Credentials = Annotated[dict[CredentialName, Credential], Field(min_length=1, max_length=10, repr=False)]
MaybeCredentials = Annotated[dict[CredentialName, Credential], Field(max_length=10, repr=False)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewAccount(Form):
    """`credentials` are the network's own: an access token, or an identifier and an app password.

    `external_id` is the network's id of the profile, for one that is only heard from and not read.
    """

    platform: PlatformName
    server: Server | None = None
    handle: Handle
    unit_id: Id
    owner_id: Id
    backup_id: Id | None = None
    purpose: Line = ""
    audience: Line = ""
    external_id: ExternalId | None = None
    credentials: MaybeCredentials = Field(default={}, validate_default=True)

    @field_validator("credentials")
    @classmethod
    def _needed(cls, credentials: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if not credentials and registry.inbound_only(info.data.get("platform", "")) is None:
            raise ValueError("give what the network takes: an access token, or an identifier and a password")
        return credentials


class Record(Form):
    """What people say of an account. `second_factor_by` and `recovery_by`: who holds them, by id or in words.

    A class other than official goes with its own mark: `rogue_kind`, or `same_as`, the account it repeats.
    """

    backup_id: Id | None = None
    purpose: Line = ""
    audience: Line = ""
    account_class: AccountClass = AccountClass.OFFICIAL
    rogue_kind: RogueKind | None = None
    same_as: Id | None = None
    display_name: Line = ""
    url: MaybeWebAddress = ""
    languages: Languages = ()
    goals: Lines = ()
    contact: Line = ""
    policy_links: WebAddresses = ()
    second_factor_by: Line = ""
    recovery_by: Line = ""
    connected_apps: Lines = ()

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that were sent, those sent as null included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class NewListing(Record):
    """An account that is known and not connected; credentials can be sent for it later."""

    platform: PlatformName
    server: Server | None = None
    handle: Handle
    unit_id: Id
    owner_id: MaybeId = ""


class ImportedRow(Record):
    """One account of a file. It is found by its id or, without one, by its address; what is not in the file
    stays as it is.
    """

    account_id: MaybeId = ""
    platform: PlatformName = ""
    server: Server | None = None
    handle: Handle = ""
    unit_id: MaybeId = ""
    owner_id: MaybeId = ""


class AccountChange(Record):
    """Only the fields that are sent change. A retired account comes back with new credentials, a restricted
    one with them or as `active`, once its network has lifted the restriction. What the network says itself
    (`handle`, `display_name`, `url`) can be changed while an account is listed without credentials.
    """

    handle: Handle = ""
    unit_id: Id = ""
    owner_id: MaybeId = ""
    status: Literal["retired", "active"] = "retired"
    why: Annotated[str, Field(max_length=500), AfterValidator(one_line)] = ""

    @property
    def changes(self) -> dict[str, Any]:
        sent = super().changes
        sent.pop("why", None)
        return {**sent, "status": AccountStatus(self.status)} if "status" in sent else sent


class AccountsQuery(Paging):
    """Which accounts are asked for: of a unit and all below it, on a platform."""

    unit: Id | None = None
    platform: PlatformName | None = None


class RegisterQuery(AccountsQuery):
    """As above, of one class, under review or not."""

    account_class: AccountClass | None = Field(None, alias="class")
    under_review: bool | None = None


class ExportQuery(Form):
    """Which accounts, and how they are written."""

    format: Literal["csv", "json"] = "json"
    unit: Id | None = None
    platform: PlatformName | None = None
    account_class: AccountClass | None = Field(None, alias="class")
    under_review: bool | None = None


class ImportQuery(Form):
    """With `dry_run` nothing is written."""

    dry_run: bool = False


class NewCredentials(Form):
    credentials: Credentials

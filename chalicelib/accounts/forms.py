"""What the API takes about accounts. Credentials go in here and never come out."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chalicelib.accounts.model import AccountStatus, server_address
from chalicelib.org.model import one_line
from chalicelib.platforms import registry


def _handle(text: str) -> str:
    cleaned = one_line(text)
    if any(char.isspace() or char in "#/" for char in cleaned):
        raise ValueError("must be a handle like '@name' or 'name.example.org'")
    return cleaned


def _line_or_nothing(text: str) -> str:
    return one_line(text) if text.strip() else ""


Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_.-]+$")]
Line = Annotated[str, Field(max_length=300), AfterValidator(_line_or_nothing)]
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

    `external_id` is the network's id of the profile, for networks whose profiles Signalbox cannot read yet.
    """

    platform: Annotated[str, Field(pattern=r"^[a-z]{1,32}$")]
    server: Server | None = None
    handle: Annotated[str, Field(max_length=253), AfterValidator(_handle)]
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


class AccountChange(Form):
    """Only the fields that are sent change. A retired account comes back with new credentials, a restricted
    one with them or as `active`, once its network has lifted the restriction.
    """

    unit_id: Id = ""
    owner_id: Id = ""
    backup_id: Id | None = None
    purpose: Line = ""
    audience: Line = ""
    status: Literal["retired", "active"] = "retired"

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that were sent, those sent as null included."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {**sent, "status": AccountStatus(self.status)} if "status" in sent else sent


class NewCredentials(Form):
    credentials: Credentials

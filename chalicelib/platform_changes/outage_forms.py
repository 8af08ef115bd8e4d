"""What callers send about outages; validated once, here, with every problem reported at once."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from chalicelib.org.model import one_line


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewOutage(_Form):
    """A platform's outage that its status page does not tell of, or not yet."""

    platform: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    title: Annotated[str, Field(max_length=200), AfterValidator(one_line)]
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,480}$")] | Literal[""] = ""


class LiftIn(_Form):
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]

"""Takedown cases in the form that callers are shown."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from chalicelib.takedowns.chain import canonical, sha256
from chalicelib.takedowns.channels import Channel, Company, Form
from chalicelib.takedowns.evidence import Intact
from chalicelib.takedowns.model import HARM_MEANS, MOVES, Case, Evidence, Step
from chalicelib.takedowns.numbers import Numbers
from chalicelib.takedowns.store import Upload, Whole


class CaseOut(BaseModel):
    """`may_become`: the steps that can follow, and what each says; `chain` heads are in an export."""

    case_id: str
    account_id: str
    unit_id: str
    platform: str
    handle: str
    url: str
    kind: str
    harm: str
    harm_means: str
    why: str
    state: str
    may_become: dict[str, str]
    owner_id: str
    original_id: str | None
    mark_name: str
    reference: str
    opened_at: datetime
    opened_by: str
    at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    chase_at: datetime | None
    chases: int
    recheck_at: datetime | None
    evidence: int
    version: int

    @classmethod
    def of(cls, case: Case) -> "CaseOut":
        names = cls.model_fields.keys() - {"harm_means", "may_become"}
        return cls(
            **{name: getattr(case, name) for name in names},
            harm_means=HARM_MEANS[case.harm],
            may_become={str(state): why for state, why in MOVES[case.state].items()},
        )


class CasesOut(BaseModel):
    cases: list[CaseOut]
    cursor: str | None


class StepOut(BaseModel):
    place: int
    to: str
    at: datetime
    by_id: str
    way: str
    reference: str
    why: str
    previous: str
    chain: str

    @classmethod
    def of(cls, step: Step) -> "StepOut":
        return cls.model_validate(step, from_attributes=True)


class EvidenceOut(BaseModel):
    """`sha256` is of the content; `chain` is over this item and, by `previous`, all before it.

    `view_url` shows a picture for ten minutes.
    """

    place: int
    kind: str
    sha256: str
    captured_at: datetime
    captured_by: str
    text: str
    name: str
    mime: str
    size: int
    width: int | None
    height: int | None
    previous: str
    chain: str
    view_url: str

    @classmethod
    def of(cls, evidence: Evidence, view_url: str) -> "EvidenceOut":
        names = cls.model_fields.keys() - {"view_url"}
        return cls(**{name: getattr(evidence, name) for name in names}, view_url=view_url)


class UploadOut(BaseModel):
    """Post the picture to `url` with these `fields`, the file last; then check the upload."""

    upload_id: str
    url: str
    fields: dict[str, str]

    @classmethod
    def of(cls, upload: Upload, form: dict[str, Any]) -> "UploadOut":
        return cls(upload_id=upload.upload_id, url=form["url"], fields=form["fields"])


class KeptOut(BaseModel):
    """The item that was kept, or the form to upload a picture with."""

    evidence: EvidenceOut | None = None
    upload: UploadOut | None = None


class ChannelOut(BaseModel):
    """By which way the platform takes the report. `known` says where each fact is from: `memory` is to be
    confirmed before anybody relies on it.
    """

    how: str
    url: str
    address: str
    path: list[str]
    category: str
    languages: list[str]
    answer_days: int
    source: str
    checked_on: date | None
    known: dict[str, str]
    fields: list[dict[str, str]]
    version: int

    @classmethod
    def of(cls, channel: Channel, version: int) -> "ChannelOut":
        return cls(
            how=str(channel.how),
            url=channel.url,
            address=channel.address,
            path=list(channel.path),
            category=channel.category,
            languages=list(channel.languages),
            answer_days=channel.answer_days,
            source=channel.source,
            checked_on=channel.checked_on,
            known=channel.known or {},
            fields=[{"label": asked.label, "fact": asked.fact} for asked in channel.fields],
            version=version,
        )


class FormOut(BaseModel):
    """The platform's form, filled in; `text` is all of it, to paste; `missing` nobody has told us yet."""

    how: str
    url: str
    address: str
    path: list[str]
    language: str
    fields: list[tuple[str, str]]
    missing: list[str]
    unconfirmed: list[str]
    text: str

    @classmethod
    def of(cls, form: Form) -> "FormOut":
        channel = form.channel
        return cls(
            how=str(channel.how),
            url=form.url,
            address=channel.address,
            path=list(channel.path),
            language=form.language,
            fields=list(form.filled),
            missing=list(form.missing),
            unconfirmed=list(channel.unconfirmed),
            text=form.text,
        )


class WholeOut(BaseModel):
    """`intact` is false when log or evidence no longer bear out their hashes."""

    case: CaseOut
    log: list[StepOut]
    evidence: list[EvidenceOut]
    form: FormOut
    intact: bool


class ExportOut(BaseModel):
    """A case for lawyers: everything in it with its hashes.

    `log_head` and `evidence_head` are the ends of the two chains, `broken_*_at` the first place that does not
    bear them out; `digest` is the SHA-256 of the canonical JSON of everything above it.
    """

    case: CaseOut
    log: list[StepOut]
    evidence: list[EvidenceOut]
    log_head: str
    evidence_head: str
    broken_log_at: int | None
    broken_evidence_at: int | None
    exported_at: datetime
    exported_by: str
    digest: str = ""

    @classmethod
    def of(
        cls, whole: Whole, evidence: list[EvidenceOut], intact: Intact, at: datetime, by_id: str
    ) -> "ExportOut":
        made = cls(
            case=CaseOut.of(whole.case),
            log=[StepOut.of(step) for step in whole.steps],
            evidence=evidence,
            log_head=whole.case.log_head,
            evidence_head=whole.case.evidence_head,
            broken_log_at=intact.log,
            broken_evidence_at=intact.evidence,
            exported_at=at,
            exported_by=by_id,
        )
        everything = made.model_dump(mode="json", exclude={"digest"})
        return made.model_copy(update={"digest": sha256(canonical(everything))})


class CompanyOut(BaseModel):
    legal_name: str
    postal_address: str
    website: str
    contact_name: str
    contact_email: str
    contact_phone: str
    relationship: str
    trademarks: list[dict[str, str]]
    version: int

    @classmethod
    def of(cls, company: Company) -> "CompanyOut":
        names = cls.model_fields.keys() - {"trademarks"}
        marks = [vars(trademark) for trademark in company.trademarks]
        return cls(**{name: getattr(company, name) for name in names}, trademarks=marks)


class NumbersOut(BaseModel):
    """Times in seconds. `percent_removed` is of what the platform decided, null while it decided nothing."""

    opened: int
    open: int
    removed: int
    refused: int
    withdrawn: int
    open_for: int | None
    removed_for: int | None
    percent_removed: float | None

    @classmethod
    def of(cls, numbers: Numbers) -> "NumbersOut":
        return cls(
            opened=numbers.opened,
            open=numbers.open,
            removed=numbers.removed,
            refused=numbers.refused,
            withdrawn=numbers.withdrawn,
            open_for=int(numbers.open_for.total_seconds()) if numbers.open_for is not None else None,
            removed_for=int(numbers.removed_for.total_seconds()) if numbers.removed_for is not None else None,
            percent_removed=round(100 * numbers.success, 1) if numbers.success is not None else None,
        )


class ReportOut(BaseModel):
    total: NumbersOut
    platforms: dict[str, NumbersOut]
    units: dict[str, NumbersOut]

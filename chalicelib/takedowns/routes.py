"""Takedown cases over HTTP, and the page of one behind its mailed link."""

from collections import Counter
from types import ModuleType
from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.takedowns import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.takedowns import views

    return views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/takedowns", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, query=lambda: _forms().CasesQuery, answers=lambda: _views().CasesOut)
def list_takedowns(call: Call) -> Answer:
    """Cases of your units: open ones by when they are due to be chased, ended ones by when they ended."""
    asked = call.query
    found, after = _box().takedowns.page(call.actor, asked.wanted(), asked.limit, asked.start)
    return Answer({"cases": [_views().CaseOut.of(c) for c in found], "cursor": call.cursor(after)})


@bp.route("/v1/takedowns", methods=["POST"])
@endpoint(
    right=Right.TAKEDOWNS_WRITE,
    body=lambda: _forms().NewCase,
    answers=lambda: _views().CaseOut,
    idempotent=True,
)
def open_takedown(call: Call) -> Answer:
    """Open a case about an account of the register; its owner gets the link to its page by mail."""
    case = _box().takedowns.open(call.actor, call.body.model_dump())
    return Answer(_views().CaseOut.of(case), status=201)


@bp.route("/v1/takedowns/numbers", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().ReportOut)
def show_takedown_numbers(call: Call) -> Answer:
    """How many cases are open and how old, and how they end, by platform and by unit."""
    from chalicelib.takedowns.numbers import Numbers

    by_place, now = _box().takedowns.numbers(call.actor), _box().clock.now()
    total: Counter[str] = Counter()
    sums: tuple[dict[str, Counter[str]], dict[str, Counter[str]]] = ({}, {})
    for (unit_id, platform), counts in by_place.items():
        total.update(counts)
        for kept, name in zip(sums, (platform, unit_id), strict=True):
            kept.setdefault(name, Counter()).update(counts)

    def shown(counts: Counter[str]) -> Any:
        return _views().NumbersOut.of(Numbers.of(counts, now))

    platforms, units = ({name: shown(c) for name, c in sorted(kept.items())} for kept in sums)
    return Answer({"total": shown(total), "platforms": platforms, "units": units})


@bp.route("/v1/takedowns/settings", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().CompanyOut)
def show_takedown_settings(call: Call) -> Answer:
    """Who reports, as the platforms' forms ask it."""
    return Answer(_views().CompanyOut.of(_box().takedown_settings.company()))


@bp.route("/v1/takedowns/settings", methods=["PUT"])
@endpoint(right=Right.TAKEDOWNS_WRITE, body=lambda: _forms().CompanyIn, answers=lambda: _views().CompanyOut)
def set_takedown_settings(call: Call) -> Answer:
    """Say who reports."""
    kept = _box().takedown_settings.set_company(call.actor, call.body.company())
    return Answer(_views().CompanyOut.of(kept))


@bp.route("/v1/takedowns/channels/{platform}/{kind}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().ChannelOut)
def show_takedown_channel(call: Call, platform: str, kind: str) -> Answer:
    """By which form or mail a platform takes a report of this kind, and where that is known from."""
    return Answer(_channel(platform, kind))


@bp.route("/v1/takedowns/channels/{platform}/{kind}", methods=["PUT"])
@endpoint(right=Right.TAKEDOWNS_WRITE, body=lambda: _forms().ChannelIn, answers=lambda: _views().ChannelOut)
def set_takedown_channel(call: Call, platform: str, kind: str) -> Answer:
    """Replace what the company knows better of a platform's way; what is left out is as it is known here."""
    settings, body = _box().takedown_settings, call.body
    settings.set_channel(call.actor, *_named(platform, kind), body.changes, body.version)
    return Answer(_channel(platform, kind))


@bp.route("/v1/takedowns/{case_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().WholeOut)
def show_takedown(call: Call, case_id: str) -> Answer:
    """A case with its log, its evidence, and the platform's form filled in."""
    box = _box()
    whole = box.takedowns.whole(call.actor, case_id)
    return Answer(
        {
            "case": _views().CaseOut.of(whole.case),
            "log": [_views().StepOut.of(step) for step in whole.steps],
            "evidence": _evidence(whole),
            "form": _views().FormOut.of(box.takedowns.form(whole)),
            "intact": box.takedown_evidence.intact(whole).is_whole,
        }
    )


@bp.route("/v1/takedowns/{case_id}", methods=["PATCH"])
@endpoint(right=Right.TAKEDOWNS_WRITE, body=lambda: _forms().CaseChange, answers=lambda: _views().CaseOut)
def change_takedown(call: Call, case_id: str) -> Answer:
    """Give a case another harm, owner, original or trademark."""
    body = call.body
    return Answer(
        _views().CaseOut.of(_box().takedowns.amend(call.actor, case_id, body.version, body.changes))
    )


@bp.route("/v1/takedowns/{case_id}/steps", methods=["POST"])
@endpoint(
    right=Right.TAKEDOWNS_WRITE,
    body=lambda: _forms().NewStep,
    answers=lambda: _views().CaseOut,
    idempotent=True,
)
def step_takedown(call: Call, case_id: str) -> Answer:
    """Say what has happened: handed in, answered, removed, refused, withdrawn, closed, or opened again."""
    body = call.body
    case = _box().takedowns.step(call.actor, case_id, body.version, body.step, body.reference, body.why)
    return Answer(_views().CaseOut.of(case))


@bp.route("/v1/takedowns/{case_id}/evidence", methods=["POST"])
@endpoint(
    right=Right.TAKEDOWNS_WRITE,
    body=lambda: _forms().NewEvidence,
    answers=lambda: _views().KeptOut,
    idempotent=True,
)
def keep_takedown_evidence(call: Call, case_id: str) -> Answer:
    """Keep a link, a note or the profile as it is now; for a picture, get a form to upload it with."""
    room, body = _box().takedown_evidence, call.body
    if body.kind == "screen":
        upload, form = room.begin_screen(call.actor, case_id, body.mime, body.name)
        return Answer(_views().KeptOut(upload=_views().UploadOut.of(upload, form)), status=201)
    if body.kind == "profile":
        kept = room.snapshot(call.actor, case_id)
    else:
        kept = room.add(call.actor, case_id, body.kind, body.url or body.text)
    return Answer(_views().KeptOut(evidence=_views().EvidenceOut.of(kept, "")), status=201)


@bp.route("/v1/takedowns/{case_id}/evidence/{upload_id}/check", methods=["POST"])
@endpoint(right=Right.TAKEDOWNS_WRITE, answers=lambda: _views().EvidenceOut)
def check_takedown_screen(call: Call, case_id: str, upload_id: str) -> Answer:
    """Look at the bytes of an uploaded picture and keep it; the answer says everything that is wrong."""
    room = _box().takedown_evidence
    kept = room.finish_screen(call.actor, case_id, upload_id)
    return Answer(_views().EvidenceOut.of(kept, room.view_url(kept)))


@bp.route("/v1/takedowns/{case_id}/export", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().ExportOut)
def export_takedown(call: Call, case_id: str) -> Answer:
    """The whole case as one JSON with all its hashes, checked against every picture's bytes."""
    box = _box()
    whole = box.takedowns.whole(call.actor, case_id)
    intact = box.takedown_evidence.intact(whole, with_pictures=True)
    now = box.clock.now()
    return Answer(_views().ExportOut.of(whole, _evidence(whole), intact, now, call.actor.person_id))


# A GET has no content type worth checking, and Chalice would check it (415 without this).
@bp.route("/c/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
def show_case_page(token: str) -> Response:
    """The page of a case; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, language))


@bp.route("/c/{token}", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def act_on_case_page(token: str) -> Response:
    """What a button of the page does."""
    return _page(lambda page, request, language: page.act(token, request.raw_body or b"", language))


def _page(make: Any) -> Response:
    from chalicelib.core.link_page import serve

    box = _box()
    return serve(
        lambda request, language: make(box.case_page, request, language), lambda: box.settings.company
    )


def _evidence(whole: Any) -> list[Any]:
    room = _box().takedown_evidence
    return [_views().EvidenceOut.of(e, room.view_url(e)) for e in whole.evidence]


def _channel(platform: str, kind: str) -> Any:
    settings, named = _box().takedown_settings, _named(platform, kind)
    return _views().ChannelOut.of(settings.channel(*named), settings.channel_version(*named))


def _named(platform: str, kind: str) -> tuple[str, Any]:
    """Platform and kind as a path names them. Raises NotFound."""
    from chalicelib.core.errors import NotFound
    from chalicelib.takedowns.channels import platforms
    from chalicelib.takedowns.model import Kind

    if platform not in platforms() or kind not in set(Kind):
        raise NotFound(f"there is no way to report {kind} on {platform}; see docs/takedowns.md")
    return platform, Kind(kind)

"""/v1/register, the register as a file, the public list, and the page on which an owner confirms."""

from typing import Any

from chalice import Blueprint, Response

from chalicelib.core.endpoint import Answer, Call, csv_file, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)

# A GET has no content type worth checking, and Chalice would check it (415 without this).
_ANY = ["*/*"]


def _forms() -> Any:
    from chalicelib.accounts import forms

    return forms


def _views() -> Any:
    from chalicelib.accounts import views

    return views


def _box() -> Any:
    from chalicelib.wiring import services

    return services()


@bp.route("/v1/register", methods=["GET"])
@endpoint(
    right=Right.REGISTER_READ,
    query=lambda: _forms().RegisterQuery,
    answers=lambda: _views().RegisterPage,
)
def list_register(call: Call) -> Answer:
    """A page of the register: accounts of any class, of a `unit`, on a `platform`, under review or not."""
    asked, views = call.query, _views()
    found, start = _box().accounts.register_page(call.actor, asked.limit, asked.start, **_filters(asked))
    shown = [views.RecordView.of(account) for account in found]
    return Answer(views.RegisterPage(accounts=shown, cursor=call.cursor(start)))


@bp.route("/v1/register", methods=["POST"])
@endpoint(
    right=Right.REGISTER_WRITE,
    body=lambda: _forms().NewListing,
    answers=lambda: _views().RecordView,
    idempotent=True,
)
def list_account(call: Call) -> Answer:
    """List an account without credentials; they can be sent for it later."""
    return Answer(_views().RecordView.of(_box().accounts.list_new(call.actor, call.body.model_dump())), 201)


@bp.route("/v1/register/{account_id}", methods=["GET"])
@endpoint(right=Right.REGISTER_READ, answers=lambda: _views().RecordView)
def show_record(call: Call, account_id: str) -> Answer:
    """All that the register has of one account."""
    return Answer(_views().RecordView.of(_box().accounts.recorded(call.actor, account_id)))


@bp.route("/v1/register/export", methods=["GET"])
@csv_file("register.csv")
@endpoint(right=Right.REGISTER_READ, query=lambda: _forms().ExportQuery, answers=lambda: _views().Exported)
def export_register(call: Call) -> Answer:
    """The register as one file, CSV or JSON, that can be imported again."""
    from chalicelib.accounts.exchange import as_csv

    found = _box().exchange.export(call.actor, **_filters(call.query))
    if call.query.format == "csv":
        return Answer({"csv": as_csv(found)})
    views = _views()
    return Answer(views.Exported(accounts=[views.RecordView.of(account) for account in found]))


@bp.route("/v1/register/import", methods=["POST"], content_types=["application/json", "text/csv"])
@endpoint(
    right=Right.REGISTER_WRITE, query=lambda: _forms().ImportQuery, answers=lambda: _views().ImportReport
)
def import_register(call: Call) -> Answer:
    """Bring a file of accounts, CSV or JSON, into the register: all of it, or nothing and what is wrong."""
    from chalicelib.accounts.exchange import rows_of_csv, rows_of_json

    request = call.request
    is_csv = (request.headers.get("content-type") or "").lower().startswith("text/csv")
    raw = request.raw_body or b""
    raw = raw.encode() if isinstance(raw, str) else raw
    given, first_row = (rows_of_csv(raw), 2) if is_csv else (rows_of_json(raw), 1)
    report = _box().exchange.take(call.actor, given, call.query.dry_run, first_row)
    return Answer(_views().ImportReport.model_validate(report, from_attributes=True))


@bp.route("/registry", methods=["GET", "HEAD"], content_types=_ANY)
def show_registry() -> Response:
    """The public list of our accounts, and whether a given one is among them."""
    return _answer("html")


@bp.route("/registry.json", methods=["GET", "HEAD"], content_types=_ANY)
def show_registry_json() -> Response:
    """The same as data."""
    return _answer("json")


@bp.route("/k/{token}", methods=["GET", "HEAD"], content_types=_ANY)
def show_confirmation(token: str) -> Response:
    """An account's record, for its owner; changes nothing, however often scanners open it."""
    return _page(lambda page, request, language: page.show(token, language))


@bp.route("/k/{token}", methods=["POST"], content_types=["application/x-www-form-urlencoded"])
def answer_confirmation(token: str) -> Response:
    """What a button of that page does."""
    return _page(lambda page, request, language: page.answer(token, request.raw_body or b"", language))


def _filters(asked: Any) -> dict[str, Any]:
    return {
        "unit_id": asked.unit,
        "platform": asked.platform,
        "account_class": asked.account_class,
        "under_review": asked.under_review,
    }


def _answer(form: str) -> Response:
    from chalicelib.accounts.registry_page import RegistryPage
    from chalicelib.core.link_page import serve

    box = _box()

    def made(request: Any, language: str) -> Any:
        asked = (request.query_params or {}).get("q", "")
        seen = request.headers.get("if-none-match") or ""
        return RegistryPage(box.public_register, box.settings).answer(form, asked, seen, language)

    return serve(made, lambda: box.settings.company)


def _page(make: Any) -> Response:
    from chalicelib.core.link_page import serve

    box = _box()

    def made(request: Any, language: str) -> Any:
        return make(box.confirm_page, request, language)

    return serve(made, lambda: box.settings.company)

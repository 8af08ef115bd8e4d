"""/v1/accounts and the credentials of one."""

from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.core.paging import cursor_of, read_paging
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> Any:
    from chalicelib.accounts import forms

    return forms


def _views() -> Any:
    from chalicelib.accounts import views

    return views


def _accounts() -> Any:
    from chalicelib.wiring import services

    return services().accounts


@bp.route("/v1/accounts", methods=["GET"])
@endpoint(right=Right.ACCOUNTS_READ, answers=lambda: _views().AccountsPage)
def list_accounts(call: Call) -> Answer:
    """A page of the accounts one may read, of a `unit` and all below it, on a `platform`."""
    limit, after = read_paging("accounts", call.query)
    start = (after or {}).get("after", "")
    unit_id, platform = call.query.get("unit"), call.query.get("platform")
    accounts, next_after = _accounts().page(call.actor, limit, start, unit_id, platform)
    cursor = cursor_of("accounts", {"after": next_after} if next_after else None)
    views = _views()
    return Answer(views.AccountsPage(accounts=[views.AccountView.of(a) for a in accounts], cursor=cursor))


@bp.route("/v1/accounts", methods=["POST"])
@endpoint(
    right=Right.ACCOUNTS_WRITE,
    body=lambda: _forms().NewAccount,
    answers=lambda: _views().AccountView,
    idempotent=True,
)
def add_account(call: Call) -> Answer:
    """Add an account; its profile is read with the credentials before anything is kept."""
    return Answer(_views().AccountView.of(_accounts().add(call.actor, call.body.model_dump())), 201)


@bp.route("/v1/accounts/{account_id}", methods=["GET"])
@endpoint(right=Right.ACCOUNTS_READ, answers=lambda: _views().AccountView)
def show_account(call: Call, account_id: str) -> Answer:
    """One account."""
    return Answer(_views().AccountView.of(_accounts().visible(call.actor, account_id)))


@bp.route("/v1/accounts/{account_id}", methods=["PATCH"])
@endpoint(
    right=Right.ACCOUNTS_WRITE, body=lambda: _forms().AccountChange, answers=lambda: _views().AccountView
)
def change_account(call: Call, account_id: str) -> Answer:
    """Change who looks after an account and what for, or retire it."""
    return Answer(_views().AccountView.of(_accounts().change(call.actor, account_id, call.body.changes)))


@bp.route("/v1/accounts/{account_id}/credentials", methods=["PUT"])
@endpoint(
    right=Right.ACCOUNTS_WRITE, body=lambda: _forms().NewCredentials, answers=lambda: _views().AccountView
)
def replace_credentials(call: Call, account_id: str) -> Answer:
    """Give an account new credentials, which are tried out first; it is active again then."""
    replaced = _accounts().replace_credentials(call.actor, account_id, call.body.credentials)
    return Answer(_views().AccountView.of(replaced))

"""/v1/accounts and the credentials of one."""

from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
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
@endpoint(
    right=Right.ACCOUNTS_READ,
    query=lambda: _forms().AccountsQuery,
    answers=lambda: _views().AccountsPage,
)
def list_accounts(call: Call) -> Answer:
    """A page of the accounts one may read, of a `unit` and all below it, on a `platform`."""
    asked, views = call.query, _views()
    accounts, start = _accounts().page(call.actor, asked.limit, asked.start, asked.unit, asked.platform)
    shown = [views.AccountView.of(account) for account in accounts]
    return Answer(views.AccountsPage(accounts=shown, cursor=call.cursor(start)))


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
    right=Right.ACCOUNTS_WRITE, body=lambda: _forms().AccountChange, answers=lambda: _views().RecordView
)
def change_account(call: Call, account_id: str) -> Answer:
    """Change an account's record: who looks after it and what for, what it is to us; or retire it."""
    body = call.body
    changed = _accounts().change(call.actor, account_id, body.changes, body.why or None)
    return Answer(_views().RecordView.of(changed))


@bp.route("/v1/accounts/{account_id}/confirm", methods=["POST"])
@endpoint(right=Right.ACCOUNTS_READ, answers=lambda: _views().RecordView)
def confirm_account(call: Call, account_id: str) -> Answer:
    """Say that an account's record is right; it counts for half a year, and ends a review."""
    return Answer(_views().RecordView.of(_accounts().confirm_by_person(call.actor, account_id)))


@bp.route("/v1/accounts/{account_id}/credentials", methods=["PUT"])
@endpoint(
    right=Right.ACCOUNTS_WRITE, body=lambda: _forms().NewCredentials, answers=lambda: _views().AccountView
)
def replace_credentials(call: Call, account_id: str) -> Answer:
    """Give an account new credentials, which are tried out first; it is active again then."""
    replaced = _accounts().replace_credentials(call.actor, account_id, call.body.credentials)
    return Answer(_views().AccountView.of(replaced))

"""/v1/me, /v1/units, /v1/people with their grants and tokens, and /v1/history."""

from datetime import timedelta
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.org.roles import Right

bp = Blueprint(__name__)


def _forms() -> Any:
    from chalicelib.org import forms

    return forms


def _views() -> Any:
    from chalicelib.org import views

    return views


def _listings() -> Any:
    from chalicelib.core import listings

    return listings


def _org() -> Any:
    from chalicelib.wiring import services

    return services().org


@bp.route("/v1/me", methods=["GET"])
@endpoint(right=None, answers=lambda: _views().Me)
def show_me(call: Call) -> Answer:
    """Who this token belongs to, and what they may."""
    return Answer(_views().Me.of(_org().person(call.actor.person_id), call.actor))


@bp.route("/v1/units", methods=["GET"])
@endpoint(right=Right.UNITS_READ, answers=lambda: _views().UnitList)
def list_units(call: Call) -> Answer:
    """The whole tree of units, each before those below it."""
    views = _views()
    return Answer(views.UnitList(units=[views.UnitView.of(u) for u in _org().units()]))


@bp.route("/v1/units", methods=["POST"])
@endpoint(
    right=Right.UNITS_WRITE, body=lambda: _forms().NewUnit, answers=lambda: _views().UnitView, idempotent=True
)
def add_unit(call: Call) -> Answer:
    """Add a unit below another one."""
    return Answer(_views().UnitView.of(_org().add_unit(call.actor, **call.body.model_dump())), 201)


@bp.route("/v1/units/{unit_id}", methods=["GET"])
@endpoint(right=Right.UNITS_READ, answers=lambda: _views().UnitView)
def show_unit(call: Call, unit_id: str) -> Answer:
    """One unit."""
    return Answer(_views().UnitView.of(_org().unit(unit_id)))


@bp.route("/v1/units/{unit_id}", methods=["PATCH"])
@endpoint(right=Right.UNITS_WRITE, body=lambda: _forms().UnitChange, answers=lambda: _views().UnitView)
def change_unit(call: Call, unit_id: str) -> Answer:
    """Change a unit's name, lead or goals."""
    return Answer(_views().UnitView.of(_org().change_unit(call.actor, unit_id, **call.body.changes)))


@bp.route("/v1/people", methods=["GET"])
@endpoint(right=Right.PEOPLE_READ, query=lambda: _listings().Paging, answers=lambda: _views().PeoplePage)
def list_people(call: Call) -> Answer:
    """A page of people by name, those who left included."""
    views = _views()
    people, after = _org().people(call.query.limit, call.query.start)
    shown = [views.PersonView.of(p) for p in people]
    return Answer(views.PeoplePage(people=shown, cursor=call.cursor(after)))


@bp.route("/v1/people", methods=["POST"])
@endpoint(
    right=Right.PEOPLE_WRITE,
    body=lambda: _forms().NewPerson,
    answers=lambda: _views().PersonView,
    idempotent=True,
)
def add_person(call: Call) -> Answer:
    """Add a person; what they may comes with grants."""
    return Answer(_views().PersonView.of(_org().add_person(call.actor, **call.body.model_dump())), 201)


@bp.route("/v1/people/{person_id}", methods=["GET"])
@endpoint(right=Right.PEOPLE_READ, answers=lambda: _views().PersonView)
def show_person(call: Call, person_id: str) -> Answer:
    """One person."""
    return Answer(_views().PersonView.of(_org().person(person_id)))


@bp.route("/v1/people/{person_id}", methods=["PATCH"])
@endpoint(right=None, body=lambda: _forms().PersonChange, answers=lambda: _views().PersonView)
def change_person(call: Call, person_id: str) -> Answer:
    """Change a person: oneself, or anybody with the right people.write."""
    return Answer(_views().PersonView.of(_org().change_person(call.actor, person_id, **call.body.changes)))


@bp.route("/v1/people/{person_id}/away", methods=["POST"])
@endpoint(right=None, body=lambda: _forms().Away, answers=lambda: _views().PersonView)
def set_person_away(call: Call, person_id: str) -> Answer:
    """From now on a deputy stands in for this person: oneself, or anybody with the right people.write."""
    away = _org().set_away(call.actor, person_id, call.body.deputy_id, call.body.until)
    return Answer(_views().PersonView.of(away))


@bp.route("/v1/people/{person_id}/away", methods=["DELETE"])
@endpoint(right=None, answers=lambda: _views().PersonView)
def return_person(call: Call, person_id: str) -> Answer:
    """This person is back: oneself, or anybody with the right people.write."""
    return Answer(_views().PersonView.of(_org().return_from_away(call.actor, person_id)))


@bp.route("/v1/people/{person_id}/leave", methods=["POST"])
@endpoint(right=Right.PEOPLE_WRITE, body=lambda: _forms().Leaving, answers=lambda: _views().PersonView)
def mark_person_left(call: Call, person_id: str) -> Answer:
    """This person has left: their tokens, links and grants stop at once."""
    return Answer(_views().PersonView.of(_org().mark_left(call.actor, person_id, call.body.why)))


@bp.route("/v1/people/{person_id}/grants", methods=["GET"])
@endpoint(right=Right.PEOPLE_READ, answers=lambda: _views().GrantList)
def list_grants(call: Call, person_id: str) -> Answer:
    """The roles that a person holds, and on what."""
    views = _views()
    return Answer(views.GrantList(grants=[views.GrantView.of(g) for g in _org().grants_of(person_id)]))


@bp.route("/v1/people/{person_id}/grants", methods=["POST"])
@endpoint(
    right=Right.GRANTS_WRITE,
    body=lambda: _forms().NewGrant,
    answers=lambda: _views().GrantView,
    idempotent=True,
)
def add_grant(call: Call, person_id: str) -> Answer:
    """Give a person a role on a unit or on one account."""
    from chalicelib.wiring import services

    unit_id, account_id = call.body.unit_id, call.body.account_id
    if account_id is not None:
        unit_id = services().accounts.get(account_id).unit_id
    grant = services().org.grant(call.actor, person_id, call.body.role, unit_id, account_id)
    return Answer(_views().GrantView.of(grant), 201)


@bp.route("/v1/people/{person_id}/grants/{grant_id}", methods=["DELETE"])
@endpoint(right=Right.GRANTS_WRITE)
def revoke_grant(call: Call, person_id: str, grant_id: str) -> Answer:
    """Take a role from a person."""
    _org().revoke_grant(call.actor, person_id, grant_id)
    return Answer(status=204)


@bp.route("/v1/people/{person_id}/tokens", methods=["GET"])
@endpoint(right=None, answers=lambda: _views().TokenList)
def list_tokens(call: Call, person_id: str) -> Answer:
    """A person's tokens without their texts: one's own, or anybody's with the right tokens.issue."""
    views = _views()
    return Answer(
        views.TokenList(tokens=[views.TokenView.of(t) for t in _org().tokens_of(call.actor, person_id)])
    )


# Not idempotent: the stored answer of a first call would hold the token's text.
@bp.route("/v1/people/{person_id}/tokens", methods=["POST"])
@endpoint(right=Right.TOKENS_ISSUE, body=lambda: _forms().NewToken, answers=lambda: _views().IssuedToken)
def issue_token(call: Call, person_id: str) -> Answer:
    """Issue a token; its text is in this answer and nowhere else."""
    views = _views()
    lives_for = timedelta(days=call.body.lives_for_days)
    text, token = _org().issue_token(call.actor, person_id, call.body.label, lives_for)
    return Answer(views.IssuedToken(token=text, details=views.TokenView.of(token)), 201)


@bp.route("/v1/people/{person_id}/tokens/{token_id}", methods=["DELETE"])
@endpoint(right=None)
def revoke_token(call: Call, person_id: str, token_id: str) -> Answer:
    """Stop a token: one's own, or anybody's with the right tokens.issue."""
    _org().revoke_token(call.actor, person_id, token_id)
    return Answer(status=204)


@bp.route("/v1/history", methods=["GET"])
@endpoint(
    right=Right.HISTORY_READ, query=lambda: _forms().HistoryQuery, answers=lambda: _listings().HistoryPage
)
def show_history(call: Call) -> Answer:
    """A page of what happened: to one `subject` or on one UTC `day`, oldest first, or by one `person`, newest
    first.
    """
    from chalicelib.wiring import services

    call.actor.require_on(Right.HISTORY_READ)
    history, asked = services().history, call.query
    if asked.subject is not None:
        rows, after = history.page_of(asked.subject, asked.limit, asked.start)
    elif asked.person is not None:
        rows, after = history.by_person(asked.person, asked.limit, asked.start)
    else:
        rows, after = history.on_day(asked.day, asked.limit, asked.start)
    return Answer(_listings().HistoryPage.of(rows, call.cursor(after)))

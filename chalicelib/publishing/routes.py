"""Publishing over HTTP: posts, their variants, media and holds."""

from types import ModuleType
from typing import Any

from chalice import Blueprint

from chalicelib.core.endpoint import Answer, Call, endpoint
from chalicelib.core.history import By, Way
from chalicelib.org.roles import Right
from chalicelib.wiring import services

bp = Blueprint(__name__)


def _forms() -> ModuleType:
    from chalicelib.publishing import forms

    return forms


def _views() -> ModuleType:
    from chalicelib.publishing import views

    return views


def _by(call: Call) -> By:
    return By(call.actor.person_id, Way.API)


def _shown(post: Any, accounts: Any = None) -> Any:
    """The post for its reader; `accounts` are those of its targets, where they were read for many posts."""
    accounts = services().posts.accounts(post) if accounts is None else accounts
    return _views().post_view(post, services().posts.variants(post, accounts), accounts)


def _shown_with_problems(post: Any) -> Any:
    accounts = services().posts.accounts(post)
    shown = _shown(post, accounts)
    shown.problems = [_views().problem_view(p) for p in services().posts.problems(post, accounts)]
    return shown


def _variant_shown(variant: Any) -> Any:
    return _views().variant_view(variant, services().accounts.get(variant.account_id))


@bp.route("/v1/posts", methods=["POST"])
@endpoint(
    right=Right.POSTS_WRITE, body=lambda: _forms().PostIn, answers=lambda: _forms().PostOut, idempotent=True
)
def draft_post(call: Call) -> Answer:
    """Draft a post; the answer lists what its platforms would refuse, and the draft is kept all the same."""
    post = services().posts.draft(call.actor, call.body.model_dump())
    return Answer(_shown_with_problems(post), status=201)


@bp.route("/v1/posts", methods=["GET"])
@endpoint(right=Right.POSTS_READ, query=lambda: _forms().PostsQuery, answers=lambda: _forms().PostsOut)
def list_posts(call: Call) -> Answer:
    """Posts by publishing time, latest first; only those of your units and accounts."""
    posts, after = services().post_store.posts(call.query.limit, call.query.start)
    seen = [p for p in posts if services().access.may_see(call.actor, p)]
    wanted = [p for p in seen if call.query.state in (None, p.state)]
    accounts = services().posts.accounts(*wanted)
    return Answer({"posts": [_shown(p, accounts) for p in wanted], "cursor": call.cursor(after)})


@bp.route("/v1/posts/{post_id}", methods=["GET"])
@endpoint(right=Right.POSTS_READ, answers=lambda: _forms().PostOut)
def show_post(call: Call, post_id: str) -> Answer:
    """A post, its state, and each variant's."""
    return Answer(_shown(services().access.visible_post(call.actor, post_id)))


@bp.route("/v1/posts/{post_id}", methods=["PATCH"])
@endpoint(right=Right.POSTS_WRITE, body=lambda: _forms().PostPatch, answers=lambda: _forms().PostOut)
def change_post(call: Call, post_id: str) -> Answer:
    """Change some fields; after sign-off this voids it."""
    services().access.visible_post(call.actor, post_id)
    post = services().posts.change(call.actor, post_id, _forms().patched(call.body), call.body.version)
    return Answer(_shown_with_problems(post))


@bp.route("/v1/posts/{post_id}/preview", methods=["GET"])
@endpoint(right=Right.POSTS_READ, answers=lambda: _forms().PreviewsOut)
def preview_post(call: Call, post_id: str) -> Answer:
    """Each variant as it would go out, counted as its platform counts, with its problems."""
    post = services().access.visible_post(call.actor, post_id)
    return Answer({"variants": [_views().preview_view(p) for p in services().posts.preview(post)]})


@bp.route("/v1/posts/{post_id}/submit", methods=["POST"])
@endpoint(right=Right.POSTS_WRITE, answers=lambda: _forms().PostOut, idempotent=True)
def submit_post(call: Call, post_id: str) -> Answer:
    """Ask the approvers; refused with every variant's problems while it has any."""
    services().access.visible_post(call.actor, post_id)
    return Answer(_shown(services().posts.submit(call.actor, post_id)))


@bp.route("/v1/posts/{post_id}/cancel", methods=["POST"])
@endpoint(right=Right.POSTS_WRITE, body=lambda: _forms().Why, answers=lambda: _forms().PostOut)
def cancel_post(call: Call, post_id: str) -> Answer:
    """Take the post back, in any state before publishing."""
    services().access.visible_post(call.actor, post_id)
    return Answer(_shown(services().posts.cancel(call.actor, post_id, call.body.why)))


@bp.route("/v1/posts/{post_id}/reschedule", methods=["POST"])
@endpoint(right=Right.POSTS_WRITE, body=lambda: _forms().RescheduleIn, answers=lambda: _forms().PostOut)
def reschedule_post(call: Call, post_id: str) -> Answer:
    """Give the post another time; after sign-off this voids it."""
    services().access.visible_post(call.actor, post_id)
    return Answer(_shown(services().posts.change(call.actor, post_id, _forms().patched(call.body))))


@bp.route("/v1/posts/{post_id}/history", methods=["GET"])
@endpoint(right=Right.POSTS_READ, answers=lambda: _forms().PostHistoryOut)
def show_post_history(call: Call, post_id: str) -> Answer:
    """Everything that happened to the post, and its approvals, oldest first."""
    from chalicelib.core.listings import HistoryRow

    services().access.visible_post(call.actor, post_id)
    rows = services().history.of(f"post#{post_id}")
    requests = services().approvals.of_subject(f"post#{post_id}")
    return Answer(
        {
            "history": [HistoryRow.of(r) for r in rows],
            "approvals": [_views().request_view(r) for r in requests],
        }
    )


@bp.route("/v1/variants/{variant_id}/settle", methods=["POST"])
@endpoint(right=Right.POSTS_WRITE, body=lambda: _forms().SettleIn, answers=lambda: _forms().VariantOut)
def settle_variant(call: Call, variant_id: str) -> Answer:
    """Say what you found on the account, when the outcome is unknown and nobody else could."""
    services().access.require_on_variant(call.actor, variant_id, Right.POSTS_WRITE)
    body = call.body
    variant = services().variants.settle_unknown(_by(call), variant_id, body.is_there, body.url, body.why)
    return Answer(_variant_shown(variant))


@bp.route("/v1/media", methods=["POST"])
@endpoint(
    right=Right.MEDIA_WRITE,
    body=lambda: _forms().MediaUploadIn,
    answers=lambda: _forms().MediaOut,
    idempotent=True,
)
def begin_media_upload(call: Call) -> Answer:
    """A form to upload one file with; then ask for it to be checked."""
    media, form = services().media.begin_upload(_by(call), call.body.name, call.body.mime)
    return Answer(_views().media_view(media, form), status=201)


@bp.route("/v1/media/{media_id}/check", methods=["POST"])
@endpoint(right=Right.MEDIA_WRITE, answers=lambda: _forms().MediaOut)
def check_media(call: Call, media_id: str) -> Answer:
    """Check the uploaded bytes: type, size and pixels."""
    return Answer(_views().media_view(services().media.check(_by(call), media_id)))


@bp.route("/v1/media/{media_id}", methods=["GET"])
@endpoint(right=Right.POSTS_READ, answers=lambda: _forms().MediaOut)
def show_media(call: Call, media_id: str) -> Answer:
    """One file."""
    return Answer(_views().media_view(services().media.get(media_id)))


@bp.route("/v1/holds", methods=["POST"])
@endpoint(
    right=Right.HOLDS_WRITE, body=lambda: _forms().HoldIn, answers=lambda: _forms().HoldOut, idempotent=True
)
def set_hold(call: Call) -> Answer:
    """Stop everything in scope, from now on."""
    services().access.require_on_scope(call.actor, call.body.scope, call.body.value)
    hold = services().holds.set(_by(call), call.body.scope, call.body.value, call.body.reason)
    return Answer(_views().hold_view(hold), status=201)


@bp.route("/v1/holds", methods=["GET"])
@endpoint(right=Right.HOLDS_READ, answers=lambda: _forms().HoldsOut)
def list_holds(call: Call) -> Answer:
    """The latest holds, newest first."""
    return Answer({"holds": [_views().hold_view(h) for h in services().holds.all()]})


@bp.route("/v1/holds/{hold_id}", methods=["GET"])
@endpoint(right=Right.HOLDS_READ, answers=lambda: _forms().ReceiptOut)
def show_hold(call: Call, hold_id: str) -> Answer:
    """A hold and its receipt: what it stopped, what was in flight, what was already out."""
    holds = services().holds
    return Answer(_views().receipt_view(holds.get(hold_id), holds.receipt(hold_id)))


@bp.route("/v1/holds/{hold_id}/lift", methods=["POST"])
@endpoint(right=Right.HOLDS_WRITE, body=lambda: _forms().Why, answers=lambda: _forms().HoldOut)
def lift_hold(call: Call, hold_id: str) -> Answer:
    """Stop nothing new; what was stopped is released variant by variant."""
    hold = services().holds.get(hold_id)
    services().access.require_on_scope(call.actor, hold.scope, hold.value)
    return Answer(_views().hold_view(services().holds.lift(_by(call), hold_id, call.body.why)))


@bp.route("/v1/variants/{variant_id}/release", methods=["POST"])
@endpoint(right=Right.HOLDS_WRITE, body=lambda: _forms().ReleaseIn, answers=lambda: _forms().VariantOut)
def release_variant(call: Call, variant_id: str) -> Answer:
    """Decide one held variant: publish now, reschedule, or drop."""
    access, body = services().access, call.body
    variant = access.require_on_variant(call.actor, variant_id, Right.HOLDS_WRITE)
    holds = services().variants.holds_on(variant, access.unit_path(variant))
    if body.action != "drop":  # whoever could not lift a hold does not publish past it either
        for key in holds.values():
            scope, _, value = key.partition(":")
            access.require_on_scope(call.actor, scope, value)
    variant = services().variants.release(_by(call), variant_id, body.action, body.at, body.why, tuple(holds))
    return Answer(_variant_shown(variant))

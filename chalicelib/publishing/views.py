"""Publishing's records in the form that callers are shown."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.approvals.model import Request
from chalicelib.core.database import Item
from chalicelib.platforms.port import Problem
from chalicelib.publishing import forms
from chalicelib.publishing.holds import Hold
from chalicelib.publishing.media import Media
from chalicelib.publishing.model import MediaUse, Post, Variant
from chalicelib.publishing.service import Preview


def post_view(post: Post, variants: list[Variant], accounts: Mapping[str, Account]) -> forms.PostOut:
    return forms.PostOut(
        post_id=post.post_id,
        title=post.title,
        text=post.text,
        language=post.language,
        media=[_use(m) for m in post.media],
        targets=list(post.targets),
        overrides={
            account_id: {
                "text": own.text,
                "media": None if own.media is None else [_use(m) for m in own.media],
                "options": own.options,
            }
            for account_id, own in post.overrides.items()
        },
        publish_at=post.publish_at,
        zone=post.zone,
        tags=list(post.tags),
        late=forms.LateIn(action=post.late.action, grace_minutes=post.late.grace_minutes),
        state=str(post.state),
        revision=post.revision,
        request_id=post.request_id,
        returned_with=post.returned_with,
        author_id=post.author_id,
        contributors=list(post.contributors),
        version=post.version,
        summary=dict(Counter(str(v.state) for v in variants)),
        variants=[variant_view(v, accounts[v.account_id]) for v in variants],
    )


def variant_view(variant: Variant, account: Account) -> forms.VariantOut:
    return forms.VariantOut(
        variant_id=variant.variant_id,
        account_id=variant.account_id,
        platform=variant.platform,
        handle=account.handle,
        state=str(variant.state),
        reason=variant.reason,
        due_at=variant.due_at,
        published_at=variant.published_at,
        url=variant.url,
        external_id=variant.external_id,
    )


def preview_view(preview: Preview) -> forms.PreviewOut:
    return forms.PreviewOut(
        account_id=preview.account.account_id,
        platform=preview.account.platform,
        handle=preview.account.handle,
        text=preview.text,
        media=[_use(m) for m in preview.media],
        characters=preview.characters,
        limit=preview.limits.characters,
        counted_in=preview.counted_in,
        problems=[problem_view(p) for p in preview.problems],
    )


def problem_view(problem: Problem) -> forms.ProblemOut:
    return forms.ProblemOut(field=problem.field, message=problem.message, over=problem.over)


def media_view(media: Media, upload: dict[str, Any] | None = None) -> forms.MediaOut:
    return forms.MediaOut(
        media_id=media.media_id,
        state=media.state,
        mime=media.mime,
        name=media.name,
        size=media.size,
        width=media.width,
        height=media.height,
        reason=media.reason,
        upload=upload,
    )


def hold_view(hold: Hold) -> forms.HoldOut:
    names = forms.HoldOut.model_fields
    return forms.HoldOut(**{name: getattr(hold, name) for name in names})


def receipt_view(hold: Hold, lines: list[Item]) -> forms.ReceiptOut:
    def of(outcome: str) -> list[dict[str, str | None]]:
        found = [line for line in lines if line["outcome"] == outcome]
        return [{k: v for k, v in line.items() if k != "outcome"} for line in found]

    return forms.ReceiptOut(
        hold=hold_view(hold), stopped=of("stopped"), in_flight=of("in_flight"), already_out=of("already_out")
    )


def request_view(request: Request) -> forms.ApprovalOut:
    return forms.ApprovalOut(
        request_id=request.request_id,
        revision=request.revision,
        state=str(request.state),
        stage=request.current.name,
        asked_by=request.asked_by,
        opened_at=request.opened_at,
        settled_at=request.settled_at,
        why=request.why,
    )


def _use(media: MediaUse) -> dict[str, str | int | None]:
    return {
        "media_id": media.media_id,
        "mime": media.mime,
        "alt": media.alt,
        "size": media.size,
        "width": media.width,
        "height": media.height,
    }

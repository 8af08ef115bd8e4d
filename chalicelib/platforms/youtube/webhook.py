"""YouTube's pushes: WebSub (https://www.w3.org/TR/websub/) from Google's hub, one callback a subscription.

https://developers.google.com/youtube/v3/guides/push_notifications. A hub pushes new videos and new titles or
descriptions; it says nothing of comments, which are polled (comments.py), and nothing of figures.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from chalicelib.core.clock import to_text
from chalicelib.platforms.calls import plain, web_address
from chalicelib.platforms.inbound import (
    Author,
    BadSignature,
    Delivery,
    Handshake,
    InboundEvent,
    InboundKind,
    LiveSecrets,
    Piece,
    Signed,
)
from chalicelib.platforms.signing import object_of, text_of, when_iso
from chalicelib.platforms.youtube.feed import pieces
from chalicelib.platforms.youtube.websub import asked_for, signed_form

_LEASE = re.compile(r"\d{1,9}", re.ASCII)
_CHALLENGE_MOST = 1_000
_REFUSED = Handshake("", status=404)
_ID = "yt:video:"


class YouTubeWebhook:
    """`secrets.keys` are master keys; the secret of each subscription follows from them and from the app.

    The app, which is the end of the callback's address, is a `websub.subscription_id`.
    """

    platform = "youtube"
    ignores_bad_signatures = True  # section 7.1.2: ignored locally, and a 2xx keeps guessing useless

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        """The hub's question whether we meant it (section 5.3): yes for topics that we asked for, else 404.

        An unsubscription is always refused. We ask for none, since a lease that is not renewed ends; so
        whoever asks is not us.
        """
        asked = delivery.query
        mode, topic = asked.get("hub.mode"), asked.get("hub.topic", "")
        if mode is None:
            return None
        if mode not in ("subscribe", "denied") or not asked_for(secrets.keys, delivery.app, topic):
            return _REFUSED
        told = {"app": delivery.app, "topic": topic, "at": to_text(delivery.received_at)}
        if mode == "denied":
            return Handshake("", confirmed={"denied": {**told, "reason": plain(asked.get("hub.reason"))}})
        challenge, lease = asked.get("hub.challenge", ""), asked.get("hub.lease_seconds", "")
        if not 0 < len(challenge) <= _CHALLENGE_MOST or not _LEASE.fullmatch(lease):
            return _REFUSED
        ends_at = to_text(delivery.received_at + timedelta(seconds=int(lease)))
        return Handshake(challenge, confirmed={"lease": {**told, "ends_at": ends_at}})

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """`X-Hub-Signature: <algorithm>=<hex>` over the raw body with the subscription's own secret."""
        header = delivery.headers.get("x-hub-signature", "")
        form = signed_form(secrets.keys, delivery.app, delivery.raw, header)
        if not form:
            raise BadSignature("The delivery is not signed with the secret of this subscription.")
        return Signed(form)

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        return pieces(delivery.raw)

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        if "entry" in piece:
            return [self._video(piece["entry"])]
        if "deleted" in piece:
            return [self._deleted(piece["deleted"])]
        if "comment" in piece:
            return [self._comment(piece)]
        return [self._subscription(piece)]

    def _video(self, entry: Mapping[str, str]) -> InboundEvent:
        video, updated_at = entry["video"], when_iso(entry["updated"])
        if not video:
            details = {"type": "a feed's entry that is not a video"}
            key = f"{entry['id']}:{entry['updated']}"
            return InboundEvent(
                self.platform, InboundKind.UNKNOWN, key, entry["channel"], updated_at, details=details
            )
        url = web_address(entry["url"])
        # A video of our own channel is out: that is how publishing it ends, whoever uploaded it. Nobody wrote
        # to us and nobody shared it, so no other kind fits. The feed does not say if it is new or renamed.
        return InboundEvent(
            self.platform,
            InboundKind.PUBLISH_RESULT,
            f"{video}:{entry['updated']}",
            entry["channel"],
            when_iso(entry["published"]),
            external_id=video,
            author=Author(entry["channel"], name=plain(entry["author"])),
            own=True,
            post_id=video,
            text=entry["title"],
            url=url,
            edited_at=updated_at,
            details={"outcome": "published", "reason": "", "post_id": video, "url": url},
        )

    def _deleted(self, entry: Mapping[str, str]) -> InboundEvent:
        video = entry["id"].removeprefix(_ID)
        if not video:
            raise ValueError("a tombstone without a reference")
        return InboundEvent(
            self.platform,
            InboundKind.CONTENT_DELETED,
            f"{video}:deleted:{entry['when']}",
            entry["channel"],
            when_iso(entry["when"]),
            external_id=video,
            own=True,
            post_id=video,
            url=web_address(entry["url"]),
            details={"reason": "The video was deleted, or is no longer public."},
        )

    def _comment(self, piece: Piece) -> InboundEvent:
        """https://developers.google.com/youtube/v3/docs/comments. Whom a deleted account was is not said."""
        comment_id, said = piece["comment"]["id"], piece["comment"]["snippet"]
        channel = text_of(object_of(said.get("authorChannelId")).get("value"))
        name, url = plain(said.get("authorDisplayName")), web_address(said.get("authorChannelUrl"))
        made_at, video, thread = when_iso(said["publishedAt"]), piece["video"], piece["thread"]
        edited_at = max(when_iso(said.get("updatedAt") or said["publishedAt"]), made_at)
        about = f"v={video}&lc={comment_id}"
        return InboundEvent(
            self.platform,
            InboundKind.COMMENT,
            f"comment:{comment_id}:{to_text(edited_at)}",
            piece["account"],
            made_at,
            external_id=comment_id,
            author=Author(channel, name if name.startswith("@") else "", name, url) if channel else None,
            own=channel == piece["account"],
            thread=thread,
            parent_id="" if comment_id == thread else text_of(said.get("parentId")) or thread,
            post_id=video,
            text=text_of(said.get("textDisplay")),
            url=f"https://www.youtube.com/watch?{about}" if video else "",
            edited_at=edited_at if edited_at > made_at else None,
        )

    def _subscription(self, piece: Piece) -> InboundEvent:
        """What a hub answered to our asking, as a change of the account that the subscription is for."""
        state = "live" if "lease" in piece else "invalid"
        told = piece["lease"] if state == "live" else piece["denied"]
        channel = parse_qs(urlsplit(told["topic"]).query).get("channel_id", [""])[0]
        details = {"field": "subscription", "state": state, "topic": told["topic"]}
        details |= {name: told[name] for name in ("ends_at", "reason") if name in told}
        return InboundEvent(
            self.platform,
            InboundKind.PROFILE_CHANGED,
            f"{told['app']}:{state}:{told['at']}",
            channel,
            when_iso(told["at"]),
            details=details,
        )

"""WebSub from the subscriber's side: what a callback's address proves, and how its deliveries are signed.

https://www.w3.org/TR/websub/. Nothing is stored: a subscription's id binds our account to its topic, and its
secret follows from the id, so both are known again whenever a hub calls.
"""

from collections.abc import Iterable

from chalicelib.platforms.signing import any_key, hmac_hex

# 112 bits: the callback is unique for each subscription, and nobody guesses it (section 5.1). With an
# account's id before it, it is as long as an app in a callback's address may be.
_PROOF_DIGITS = 28
# Google's hub signs with sha1. The secret is the same for each of them, so which one came proves no less.
FORMS = ("sha1", "sha256", "sha384", "sha512")


def subscription_id(key: bytes, account_id: str, topic: str) -> str:
    """The end of the callback's address: our account, and a proof that we asked for this topic for it."""
    return f"{account_id}-{_proof(key, account_id, topic)}"


def asked_for(keys: Iterable[bytes], subscription: str, topic: str) -> bool:
    """Whether `subscription_id` made this id of a live key and the topic."""
    account_id, _, proof = subscription.rpartition("-")
    made = any_key(keys, lambda key: _proof(key, account_id, topic).encode(), proof)
    return bool(account_id and topic) and made


def secret_of(key: bytes, subscription: str) -> str:
    """The `hub.secret` of a subscription: 64 characters, of the 200 that are allowed."""
    return hmac_hex(key, f"websub secret\n{subscription}".encode()).decode()


def signed_form(keys: Iterable[bytes], subscription: str, raw: bytes, header: str) -> str:
    """The algorithm of a valid `X-Hub-Signature`; "" when there is none (section 7.1)."""
    form, _, given = header.partition("=")
    if form not in FORMS:
        return ""

    def sign(key: bytes) -> bytes:
        return hmac_hex(secret_of(key, subscription).encode(), raw, form)

    return form if any_key(keys, sign, given) else ""


def _proof(key: bytes, account_id: str, topic: str) -> str:
    return hmac_hex(key, f"websub topic\n{account_id}\n{topic}".encode()).decode()[:_PROOF_DIGITS]

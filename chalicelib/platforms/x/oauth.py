"""Signs a call as an account's own, for what X lets no app ask by itself (OAuth 1.0a, RFC 5849 section 3).

https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature. Such access lasts until it is
taken back, unlike a token of OAuth 2.0, which X gives for two hours.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

CREDENTIALS = ("api_key", "api_secret", "access_token", "access_token_secret")


def authorization(
    method: str,
    url: str,
    params: Mapping[str, str],
    credentials: Mapping[str, str],
    now: datetime,
    nonce: str,
) -> str:
    """The header for a call of `url`, which has no query, with those parameters; needs all CREDENTIALS.

    `nonce` is any text that was not used before.
    """
    oauth = {
        "oauth_consumer_key": credentials["api_key"],
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(now.timestamp())),
        "oauth_token": credentials["access_token"],
        "oauth_version": "1.0",
    }
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in {**params, **oauth}.items())
    base = "&".join([method, _encoded(url), _encoded("&".join(f"{name}={value}" for name, value in pairs))])
    key = f"{_encoded(credentials['api_secret'])}&{_encoded(credentials['access_token_secret'])}"
    oauth["oauth_signature"] = b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
    return "OAuth " + ", ".join(f'{name}="{_encoded(value)}"' for name, value in sorted(oauth.items()))


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")

"""The signature of OAuth 1.0a, by the worked example in X's documentation."""

from datetime import UTC, datetime

from chalicelib.platforms.x.oauth import authorization

# https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature, where they are made up
EXAMPLE = {
    "api_key": "xvz1evFS4wEEPTGEFPHBog",
    "api_secret": "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    "access_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    "access_token_secret": "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
}
STATUS = "Hello Ladies + Gentlemen, a signed OAuth request!"


def test_the_example_of_the_documentation_has_its_signature() -> None:
    header = authorization(
        "POST",
        "https://api.x.com/1.1/statuses/update.json",
        {"status": STATUS, "include_entities": "true"},
        EXAMPLE,
        datetime.fromtimestamp(1318622958, UTC),
        "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
    )
    assert header == (
        'OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", '
        'oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", '
        'oauth_signature="Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D", '
        'oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958", '
        'oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", oauth_version="1.0"'
    )

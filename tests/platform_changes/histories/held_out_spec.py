"""A specification that no reader and no rule was made with, of other habits than the two others."""

from collections.abc import Callable, Iterator

from tests.platform_changes.histories.history import History
from tests.platform_changes.histories.specs import Document, Step, history, same, schema_of, told

_USER_FIELDS = (
    "created_at",
    "description",
    "id",
    "location",
    "most_recent_tweet_id",
    "name",
    "protected",
    "public_metrics",
    "url",
    "username",
    "verified",
    "withheld",
)


def _call(verb: str, answer: str, *parameters: str, takes: str = "") -> Document:
    scopes = ["tweet.read", "users.read"]
    json_of = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}}
    made: Document = {
        "operationId": f"{verb}{answer}",
        "security": [{"BearerToken": []}, {"OAuth2UserToken": scopes}],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
        "responses": {
            "200": {"description": "", "content": json_of},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if takes:
        made["requestBody"] = {
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{takes}"}}},
            "required": True,
        }
    return made


SPEC_URL = "https://api.x.com/2/openapi.json"
SPEC: Document = {
    "openapi": "3.0.0",
    "info": {"title": "X API v2", "version": "2.150", "description": "Core endpoints"},
    "servers": [{"url": "https://api.x.com", "description": "X API"}],
    "paths": {
        "/2/users/{id}": {"get": _call("get", "UserResponse", "UserId", "UserFields")},
        "/2/users/by/username/{username}": {"get": _call("get", "UserResponse", "UserName", "UserFields")},
        "/2/users/search": {"get": _call("get", "UsersResponse", "Query", "MaxResults", "UserFields")},
        "/2/tweets": {"post": _call("post", "TweetCreated", takes="TweetCreate")},
        "/2/webhooks": {
            "get": _call("get", "Webhooks"),
            "post": _call("post", "Webhook", takes="WebhookCreate"),
        },
        "/2/webhooks/{webhook_id}": {"put": _call("put", "Webhook", "WebhookId")},
        "/2/webhooks/replay": {"post": _call("post", "Replay", takes="ReplayCreate")},
        "/2/activity/subscriptions": {"post": _call("post", "Subscription", takes="SubscriptionCreate")},
        "/2/account_activity/replay/webhooks/{webhook_id}/subscriptions/all": {
            "post": _call("post", "Replay", "WebhookId")
        },
        "/2/trends/by/woeid/{woeid}": {"get": _call("get", "Trends", "Woeid")},
    },
    "components": {
        "responses": {
            "Problem": {
                "description": "Not done",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
        "parameters": {
            "UserId": {
                "name": "id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": "^[0-9]{1,19}$"},
            },
            "UserName": {"name": "username", "in": "path", "required": True, "schema": {"type": "string"}},
            "WebhookId": {"name": "webhook_id", "in": "path", "required": True, "schema": {"type": "string"}},
            "Woeid": {"name": "woeid", "in": "path", "required": True, "schema": {"type": "integer"}},
            "Query": {"name": "query", "in": "query", "required": True, "schema": {"type": "string"}},
            "MaxResults": {
                "name": "max_results",
                "in": "query",
                "schema": {"type": "integer", "maximum": 1000},
            },
            "UserFields": {
                "name": "user.fields",
                "in": "query",
                "explode": False,
                "style": "form",
                "schema": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {"type": "string", "enum": list(_USER_FIELDS)},
                },
            },
        },
        "schemas": {
            "User": schema_of(
                ("id", "name", "username"),
                id="string",
                name="string",
                username="string",
                description="string",
                created_at="string",
                most_recent_tweet_id="string",
                verified="boolean",
                withheld="object",
                public_metrics=schema_of(
                    (), followers_count="integer", tweet_count="integer", listed_count="integer"
                ),
            ),
            "UserResponse": schema_of((), data={"$ref": "#/components/schemas/User"}, errors="array"),
            "UsersResponse": schema_of(
                (), data={"type": "array", "items": {"$ref": "#/components/schemas/User"}}, meta="object"
            ),
            "TweetCreate": schema_of((), text="string", quote_tweet_id="string", poll="object"),
            "TweetCreated": schema_of((), data=schema_of(("id", "text"), id="string", text="string")),
            "WebhookCreate": schema_of(("url",), url="string"),
            "Webhook": schema_of(("id",), id="string", url="string", valid="boolean", created_at="string"),
            "Webhooks": schema_of(
                (), data={"type": "array", "items": {"$ref": "#/components/schemas/Webhook"}}
            ),
            "ReplayCreate": schema_of(
                ("webhook_id", "from_date", "to_date"),
                webhook_id="string",
                from_date="string",
                to_date="string",
            ),
            "Replay": schema_of((), job_id="string", created_at="string"),
            "SubscriptionCreate": schema_of(
                ("event_type",), event_type="string", filter="object", tag="string", webhook_id="string"
            ),
            "Subscription": schema_of((), data="object"),
            "Trends": schema_of((), data={"type": "array", "items": schema_of((), trend_name="string")}),
            "Problem": {
                "type": "object",
                "required": ["type", "title"],
                "properties": {"type": {"type": "string"}, "title": {"type": "string"}},
                "discriminator": {
                    "propertyName": "type",
                    "mapping": {"about:blank": "#/components/schemas/Problem"},
                },
            },
        },
    },
}


def _properties(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]["properties"]
    return found


def _bumped(number: int, then: Callable[[Document], object] = same) -> Callable[[Document], None]:
    def become(document: Document) -> None:
        document["info"]["version"] = f"2.{number}"
        then(document)

    return become


def _trend(document: Document) -> Document:
    found: Document = _properties(document, "Trends")["data"]["items"]["properties"]
    return found


def _summaries(document: Document) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            operation["summary"] = "For whom you ask"
            operation["x-twitter-streaming"] = False
    document["components"]["schemas"]["Problem"]["discriminator"]["mapping"]["x"] = (
        "#/components/schemas/Problem"
    )
    document["components"]["schemas"]["Unused"] = schema_of((), nothing="string")


def _user_fields(document: Document) -> list[str]:
    found: list[str] = document["components"]["parameters"]["UserFields"]["schema"]["items"]["enum"]
    return found


def _last_post_gone(document: Document) -> None:
    _user_fields(document).remove("most_recent_tweet_id")
    del _properties(document, "User")["most_recent_tweet_id"]


def _old_replay_deprecated(document: Document) -> None:
    document["paths"]["/2/account_activity/replay/webhooks/{webhook_id}/subscriptions/all"]["post"][
        "deprecated"
    ] = True


def _old_replay_gone(document: Document) -> None:
    del document["paths"]["/2/account_activity/replay/webhooks/{webhook_id}/subscriptions/all"]


def _all_of(document: Document) -> None:
    """The same fields said by allOf, a reference in a circle, and an answer under its own name."""
    schemas = document["components"]["schemas"]
    schemas["UserBase"] = schemas["User"]
    schemas["User"] = {"allOf": [{"$ref": "#/components/schemas/UserBase"}]}
    user = document["paths"]["/2/users/{id}"]["get"]["responses"]
    document["components"]["responses"]["TheUser"] = user["200"]
    user["200"] = {"$ref": "#/components/responses/TheUser"}


def _reason_needed(document: Document) -> None:
    _properties(document, "ReplayCreate")["reason"] = {"type": "string"}
    document["components"]["schemas"]["ReplayCreate"]["required"].append("reason")


def _made_with_ai(document: Document) -> None:
    _properties(document, "TweetCreate")["made_with_ai"] = {"type": "boolean"}


def _followers_deprecated(document: Document) -> None:
    base = document["components"]["schemas"]["UserBase"]["properties"]
    base["public_metrics"]["properties"]["followers_count"]["deprecated"] = True


def _tag_gone(document: Document) -> None:
    del _properties(document, "SubscriptionCreate")["tag"]


_USERS = ("GET /2/users/{id}", "GET /2/users/by/username/{username}", "GET /2/users/search")
_TRENDS = ("GET /2/trends/by/woeid/{woeid}",)
_OLD = ("POST /2/account_activity/replay/webhooks/{webhook_id}/subscriptions/all",)
STEPS: tuple[Step, ...] = (
    ("2026-02-02", "", same, ()),
    ("2026-02-02T18:00", "order of keys and scopes", same, ()),
    (
        "2026-02-10",
        "order, version",
        _bumped(151, lambda d: _trend(d).update(tweet_count={"type": "integer"})),
        told("Trends answer tweet_count", ("new",), ("tweet_count",), False, _TRENDS, ("tweet_count",)),
    ),
    (
        "2026-02-11",
        "order, version",
        _bumped(152, lambda d: _trend(d).pop("tweet_count")),
        told(
            "tweet_count of trends is taken back",
            ("breaking",),
            ("tweet_count",),
            False,
            _TRENDS,
            ("tweet_count",),
        ),
    ),
    ("2026-03-09", "order, version, summaries", _bumped(153, _summaries), ()),
    (
        "2026-03-20",
        "order",
        _bumped(154, _old_replay_deprecated),
        told("Account Activity's replay is deprecated", ("deprecation",), ("replay",), None, _OLD),
    ),
    (
        "2026-03-25",
        "order",
        _bumped(155, _old_replay_gone),
        told("Account Activity's replay is gone", ("breaking",), ("replay",), None, _OLD),
    ),
    ("2026-04-21", "order, allOf, answers by reference", _bumped(156, _all_of), ()),
    (
        "2026-05-18",
        "order",
        _bumped(157, _reason_needed),
        told(
            "A replay needs a reason",
            ("breaking",),
            ("reason",),
            True,
            ("POST /2/webhooks/replay",),
            ("reason",),
        ),
    ),
    (
        "2026-06-15",
        "space, order",
        _bumped(158, _made_with_ai),
        told(
            "Posts take made_with_ai",
            ("new",),
            ("made_with_ai",),
            None,
            ("POST /2/tweets",),
            ("made_with_ai",),
        ),
    ),
    (
        "2026-07-13",
        "order",
        _bumped(159, _followers_deprecated),
        told(
            "followers_count is deprecated",
            ("deprecation",),
            ("followers_count",),
            True,
            _USERS,
            ("followers_count",),
        ),
    ),
    (
        "2026-08-17",
        "order",
        _bumped(160, _tag_gone),
        told(
            "Subscriptions take no tag",
            ("breaking",),
            ("tag",),
            None,
            ("POST /2/activity/subscriptions",),
            ("tag",),
        ),
    ),
    (
        "2026-09-14",
        "order",
        _bumped(161, lambda d: _user_fields(d).remove("withheld")),
        told(
            "user.fields takes no withheld",
            ("breaking",),
            ("withheld", "user.fields"),
            True,
            _USERS,
            ("user.fields",),
        ),
    ),
)


def histories() -> Iterator[History]:
    yield history("held_out_spec", "x", SPEC_URL, SPEC, STEPS, held_out=True)

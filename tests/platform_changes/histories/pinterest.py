"""Pinterest's OpenAPI document, small, through a year."""

import copy
import json
from collections.abc import Callable, Iterator

from tests.platform_changes.histories.history import History
from tests.platform_changes.histories.specs import Document, Step, history, same, schema_of, told


def _answer(schema: str) -> Document:
    return {
        "description": "",
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _operation(schema: str, *parameters: str, body: str = "", scopes: tuple[str, ...] = ()) -> Document:
    made: Document = {
        "operationId": schema.lower(),
        "security": [{"pinterest_oauth2": list(scopes)}],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
        "responses": {"200": _answer(schema), "default": {"$ref": "#/components/responses/Refused"}},
    }
    if body:
        schema_of_body = {"schema": {"$ref": f"#/components/schemas/{body}"}}
        made["requestBody"] = {"required": True, "content": {"application/json": schema_of_body}}
    return made


def _query(name: str, kind: str, required: bool = False) -> Document:
    return {"name": name, "in": "query", "required": required, "schema": {"type": kind}, "description": name}


def _path(name: str) -> Document:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


PINTEREST: Document = {
    "openapi": "3.0.3",
    "info": {"title": "Pinterest REST API", "version": "5.14.0", "description": "A small copy of its form."},
    "servers": [{"url": "https://api.pinterest.com/v5"}],
    "paths": {
        "/user_account": {"get": _operation("Account", "ad_account_id", scopes=("user_accounts:read",))},
        "/pins": {
            "get": _operation(
                "PinList", "bookmark", "page_size", "pin_filter", scopes=("pins:read", "boards:read")
            ),
            "post": _operation("Pin", body="PinCreate", scopes=("pins:write", "boards:write", "pins:read")),
        },
        "/pins/{pin_id}": {"get": _operation("Pin", "pin_id"), "delete": _operation("Error", "pin_id")},
        "/boards": {"get": _operation("BoardList", "bookmark", "page_size", scopes=("boards:read",))},
        "/ad_accounts": {"get": _operation("AdAccountList", "bookmark", "include_shared_accounts")},
        "/ad_accounts/{ad_account_id}/reports": {
            "post": _operation("Report", "path_ad_account_id", body="ReportCreate")
        },
    },
    "components": {
        "responses": {"Refused": _answer("Error")},
        "parameters": {
            "ad_account_id": _query("ad_account_id", "string"),
            "bookmark": _query("bookmark", "string"),
            "page_size": _query("page_size", "integer"),
            "pin_filter": _query("pin_filter", "string"),
            "include_shared_accounts": _query("include_shared_accounts", "boolean"),
            "pin_id": _path("pin_id"),
            "path_ad_account_id": _path("ad_account_id"),
        },
        "schemas": {
            "Account": schema_of(
                (),
                id="string",
                username="string",
                about="string",
                business_name="string",
                profile_image="string",
                website_url="string",
                follower_count="integer",
                pin_count="integer",
                monthly_views="integer",
                account_type={"type": "string", "enum": ["PINNER", "BUSINESS"]},
            ),
            "Pin": schema_of(
                (),
                id="string",
                created_at={"type": "string", "format": "date-time"},
                link="string",
                title="string",
                parent_pin_id={"type": "string", "nullable": True},
                board_id="string",
                media=_ref("Media"),
                note="string",
            ),
            "Media": schema_of((), media_type="string", cover=_ref("Pin")),
            "PinCreate": schema_of(
                ("board_id",), board_id="string", title="string", link="string", media_source="object"
            ),
            "PinList": schema_of(
                ("items",), items={"type": "array", "items": _ref("Pin")}, bookmark="string"
            ),
            "BoardList": schema_of(
                ("items",), items={"type": "array", "items": _ref("Board")}, bookmark="string"
            ),
            "Board": schema_of((), id="string", name="string", privacy="string"),
            "AdAccountList": schema_of(("items",), items={"type": "array", "items": _ref("AdAccount")}),
            "AdAccount": schema_of((), id="string", name="string", currency="string"),
            "ReportCreate": schema_of(
                ("start_date", "end_date"), start_date="string", end_date="string", columns="array"
            ),
            "Report": schema_of((), report_status="string", token="string"),
            "Error": schema_of(("code", "message"), code="integer", message="string"),
        },
    },
}


def _version(text: str) -> Callable[[Document], None]:
    def become(document: Document) -> None:
        document["info"]["version"] = text

    return become


def _properties(document: Document, schema: str) -> Document:
    found: Document = document["components"]["schemas"][schema]["properties"]
    return found


def _renamed(document: Document) -> None:
    """Components under new names, as when a specification is made by another tool; the calls are the same."""
    text = json.dumps(document)
    text = text.replace('parameters/path_ad_account_id"', 'parameters/Pinterest.Lib.AdAccountId"')
    made = json.loads(text.replace('schemas/Error"', 'schemas/Pinterest.Lib.Error"'))
    parameters, schemas = made["components"]["parameters"], made["components"]["schemas"]
    parameters["Pinterest.Lib.AdAccountId"] = parameters.pop("path_ad_account_id")
    schemas["Pinterest.Lib.Error"] = schemas.pop("Error")
    document.clear()
    document.update(made)


def _reworded(document: Document) -> None:
    document["info"]["version"] = "5.15.1"
    for path in document["paths"].values():
        for operation in path.values():
            operation["description"] = "Learn more at /docs?utm_source=spec."
            operation["responses"]["401"] = operation["responses"]["default"]
            operation["x-sandbox"] = "enabled"


def _inlined(document: Document) -> None:
    """A reference written out, an operation's id and tag renamed, an example added."""
    pins = document["paths"]["/pins"]["get"]
    pins["operationId"], pins["tags"] = "pins/list", ["pins"]
    pins["responses"]["200"]["content"]["application/json"]["schema"] = copy.deepcopy(
        document["components"]["schemas"]["PinList"]
    )
    pins["responses"]["200"]["content"]["application/json"]["example"] = {
        "items": [{"id": "813744226420795884"}]
    }


def _featured(document: Document) -> None:
    document["info"]["version"] = "5.16.0"
    document["paths"]["/trends/topics/featured"] = {"get": _operation("BoardList", "bookmark")}


def _about_deprecated(document: Document) -> None:
    _properties(document, "Account")["about"] = {
        "type": "string",
        "deprecated": True,
        "description": "No longer kept.",
    }


def _page_size_gone(document: Document) -> None:
    document["info"]["version"] = "5.18.0"
    document["paths"]["/pins"]["get"]["parameters"].pop(1)


def _alt_text_required(document: Document) -> None:
    made = document["components"]["schemas"]["PinCreate"]
    made["properties"]["alt_text"] = {"type": "string"}
    made["required"].append("alt_text")


def _reports_gone(document: Document) -> None:
    document["info"]["version"] = "5.20.0"
    del document["paths"]["/ad_accounts/{ad_account_id}/reports"]


def _followers_gone(document: Document) -> None:
    document["info"]["version"] = "5.21.0"
    del _properties(document, "Account")["follower_count"]


def _created_number(document: Document) -> None:
    _properties(document, "Pin")["created_at"] = {"type": "integer", "format": "int64"}


def _owner_added(document: Document) -> None:
    document["info"]["version"] = "5.23.0"
    _properties(document, "Account")["is_verified_merchant"] = {"type": "boolean"}


_PINTEREST_STEPS: tuple[Step, ...] = (
    ("2026-01-12", "", same, ()),
    ("2026-01-13", "order of keys and scopes", same, ()),
    ("2026-02-03", "version, descriptions, 401 answers, extensions", _reworded, ()),
    (
        "2026-02-17",
        "version",
        _featured,
        told(
            "A new call: featured topics",
            ("new",),
            ("topics/featured",),
            False,
            ("GET /trends/topics/featured",),
        ),
    ),
    (
        "2026-03-10",
        "order of keys and scopes",
        _about_deprecated,
        told(
            "Account.about is deprecated",
            ("deprecation",),
            ("about",),
            True,
            ("GET /user_account",),
            ("about",),
        ),
    ),
    ("2026-03-24", "components renamed", _renamed, ()),
    ("2026-04-07", "written out, ids, examples, space", _inlined, ()),
    (
        "2026-05-05",
        "version",
        _page_size_gone,
        told(
            "page_size is no longer taken by the list of pins",
            ("breaking",),
            ("page_size",),
            True,
            ("GET /pins",),
            ("page_size",),
        ),
    ),
    (
        "2026-06-02",
        "order of keys and scopes",
        _alt_text_required,
        told("New pins need alt_text", ("breaking",), ("alt_text",), False, ("POST /pins",), ("alt_text",)),
    ),
    (
        "2026-07-07",
        "version",
        _reports_gone,
        told(
            "Reports by POST are gone",
            ("breaking",),
            ("/reports",),
            False,
            ("POST /ad_accounts/{ad_account_id}/reports",),
        ),
    ),
    (
        "2026-08-11",
        "version",
        _followers_gone,
        told(
            "Account.follower_count is gone",
            ("breaking",),
            ("follower_count",),
            True,
            ("GET /user_account",),
            ("follower_count",),
        ),
    ),
    (
        "2026-09-08",
        "space, order",
        _created_number,
        told(
            "Pin.created_at is a number",
            ("breaking",),
            ("created_at",),
            True,
            ("GET /pins", "GET /pins/{pin_id}", "POST /pins"),
            ("created_at",),
        ),
    ),
    (
        "2026-10-06",
        "version",
        _owner_added,
        told(
            "Account.is_verified_merchant is new",
            ("new",),
            ("is_verified_merchant",),
            None,
            ("GET /user_account",),
            ("is_verified_merchant",),
        ),
    ),
)


def histories() -> Iterator[History]:
    url = "https://raw.githubusercontent.com/pinterest/api-description/main/v5/openapi.json"
    yield history("spec_openapi", "pinterest", url, PINTEREST, _PINTEREST_STEPS)

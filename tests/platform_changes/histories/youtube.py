"""YouTube's discovery document, small, through a year."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.platform_changes.histories.history import History
from tests.platform_changes.histories.specs import Document, Step, history, same, schema_of, told


def _method(
    name: str, verb: str, path: str, answer: str = "", request: str = "", **parameters: Document
) -> Document:
    resource, method = name.split(".")
    made: Document = {
        "id": f"youtube.{resource}.{method}",
        "path": path,
        "httpMethod": verb,
        "description": f"{method} of {resource}",
        "parameters": parameters,
        "parameterOrder": [],
        "scopes": ["https://www.googleapis.com/auth/youtube"],
    }
    if answer:
        made["response"] = {"$ref": answer}
    if request:
        made["request"] = {"$ref": request}
    return made


def _in_query(kind: str = "string", **more: Any) -> Document:
    return {"type": kind, "location": "query", **more}


def _list(of: str) -> Document:
    return schema_of(
        (),
        kind="string",
        etag="string",
        nextPageToken="string",
        items={"type": "array", "items": {"$ref": of}},
    )


YOUTUBE: Document = {
    "kind": "discovery#restDescription",
    "discoveryVersion": "v1",
    "id": "youtube:v3",
    "name": "youtube",
    "version": "v3",
    "revision": "20260104",
    "etag": '"a1"',
    "rootUrl": "https://youtube.googleapis.com/",
    "servicePath": "",
    "baseUrl": "https://youtube.googleapis.com/",
    "batchPath": "batch",
    "protocol": "rest",
    "parameters": {"key": _in_query(), "fields": _in_query(), "alt": _in_query(enum=["json", "media"])},
    "resources": {
        "channels": {
            "methods": {
                "list": _method(
                    "channels.list",
                    "GET",
                    "youtube/v3/channels",
                    "ChannelListResponse",
                    part=_in_query(required=True, repeated=True),
                    id=_in_query(repeated=True),
                    mine=_in_query("boolean"),
                    forHandle=_in_query(),
                    maxResults=_in_query("integer"),
                    managedByMe=_in_query("boolean"),
                )
            }
        },
        "playlistItems": {
            "methods": {
                "list": _method(
                    "playlistItems.list",
                    "GET",
                    "youtube/v3/playlistItems",
                    "PlaylistItemListResponse",
                    part=_in_query(required=True),
                    playlistId=_in_query(),
                    maxResults=_in_query("integer"),
                )
            }
        },
        "search": {
            "methods": {
                "list": _method(
                    "search.list",
                    "GET",
                    "youtube/v3/search",
                    "SearchListResponse",
                    part=_in_query(required=True),
                    q=_in_query(),
                    type=_in_query(),
                    relatedToVideoId=_in_query(),
                    maxResults=_in_query("integer"),
                )
            }
        },
        "captions": {
            "methods": {
                "insert": _method(
                    "captions.insert",
                    "POST",
                    "youtube/v3/captions",
                    "Caption",
                    "Caption",
                    part=_in_query(required=True),
                    sync=_in_query("boolean"),
                )
            }
        },
        "comments": {
            "methods": {
                "insert": _method(
                    "comments.insert", "POST", "youtube/v3/comments", "Comment", "Comment", part=_in_query()
                ),
                "markAsSpam": _method(
                    "comments.markAsSpam", "POST", "youtube/v3/comments/markAsSpam", id=_in_query()
                ),
            }
        },
    },
    "schemas": {
        "ChannelListResponse": _list("Channel"),
        "PlaylistItemListResponse": _list("PlaylistItem"),
        "SearchListResponse": _list("SearchResult"),
        "Channel": schema_of(
            (),
            id="string",
            snippet={"$ref": "ChannelSnippet"},
            statistics={"$ref": "ChannelStatistics"},
            status={"$ref": "ChannelStatus"},
            brandingSettings={"$ref": "ChannelSettings"},
        ),
        "ChannelSnippet": schema_of(
            (),
            title="string",
            description="string",
            customUrl="string",
            publishedAt="string",
            thumbnails={"type": "object"},
            country="string",
        ),
        "ChannelStatistics": schema_of(
            (),
            subscriberCount="string",
            viewCount="string",
            videoCount="string",
            hiddenSubscriberCount="boolean",
        ),
        "ChannelStatus": schema_of((), privacyStatus="string", isLinked="boolean"),
        "ChannelSettings": schema_of((), keywords="string", moderateComments="boolean"),
        "PlaylistItem": schema_of((), id="string", contentDetails={"$ref": "PlaylistItemContentDetails"}),
        "PlaylistItemContentDetails": schema_of(
            (), videoId="string", videoPublishedAt="string", note="string"
        ),
        "SearchResult": schema_of((), id="object", snippet={"$ref": "ChannelSnippet"}),
        "Caption": schema_of((), id="string", snippet="object"),
        "Comment": schema_of((), id="string", snippet="object"),
    },
}


def _revision(text: str) -> Callable[[Document], None]:
    def become(document: Document) -> None:
        document["revision"], document["etag"] = text, f'"{text[::-1]}"'

    return become


def _and(text: str, then: Callable[[Document], None]) -> Callable[[Document], None]:
    def become(document: Document) -> None:
        _revision(text)(document)
        then(document)

    return become


def _schema(document: Document, name: str) -> Document:
    found: Document = document["schemas"][name]["properties"]
    return found


def _moderate_deprecated(document: Document) -> None:
    _schema(document, "ChannelSettings")["moderateComments"]["deprecated"] = True


def _sync_gone(document: Document) -> None:
    del document["resources"]["captions"]["methods"]["insert"]["parameters"]["sync"]


def _endpoints(document: Document) -> None:
    document["mtlsRootUrl"] = "https://youtube.mtls.googleapis.com/"
    document["endpoints"] = [
        {"location": "europe-west4", "endpointUrl": "https://youtube.europe-west4.rep.googleapis.com/"}
    ]
    document["parameters"]["$.xgafv"] = _in_query(enum=["1", "2"], description="V1 error format.")
    document["icons"] = {"x16": "http://www.google.com/images/icons/product/youtube-16.png"}


def _described(document: Document) -> None:
    for resource in document["resources"].values():
        for method in resource["methods"].values():
            method["description"] += " (Beta.)"
            for parameter in method["parameters"].values():
                parameter["description"] = "What."


def _spam_gone(document: Document) -> None:
    del document["resources"]["comments"]["methods"]["markAsSpam"]


def _subscribers_deprecated(document: Document) -> None:
    _schema(document, "ChannelStatistics")["subscriberCount"]["deprecated"] = True


def _published_gone(document: Document) -> None:
    del _schema(document, "PlaylistItemContentDetails")["videoPublishedAt"]


def _podcasts(document: Document) -> None:
    document["resources"]["podcasts"] = {
        "methods": {"list": _method("podcasts.list", "GET", "youtube/v3/podcasts", "SearchListResponse")}
    }


def _handle_gone(document: Document) -> None:
    del document["resources"]["channels"]["methods"]["list"]["parameters"]["forHandle"]


_CHANNELS, _ITEMS = "GET /youtube/v3/channels", "GET /youtube/v3/playlistItems"
_YOUTUBE_STEPS: tuple[Step, ...] = (
    ("2026-01-05", "", same, ()),
    ("2026-01-06", "revision, etag, order", _revision("20260105"), ()),
    (
        "2026-01-20",
        "revision",
        _and("20260119", _moderate_deprecated),
        told(
            "moderateComments of a channel is deprecated",
            ("deprecation",),
            ("moderatecomments",),
            False,
            (_CHANNELS,),
            ("moderateComments",),
        ),
    ),
    ("2026-02-10", "revision, endpoints, icons, a parameter of all calls", _and("20260209", _endpoints), ()),
    (
        "2026-03-03",
        "revision",
        _and("20260302", _sync_gone),
        told(
            "captions.insert takes no sync",
            ("breaking",),
            ("sync",),
            False,
            ("POST /youtube/v3/captions",),
            ("sync",),
        ),
    ),
    ("2026-04-14", "revision, descriptions, order", _and("20260413", _described), ()),
    (
        "2026-05-12",
        "revision, space",
        _and("20260511", _spam_gone),
        told(
            "comments.markAsSpam is gone",
            ("breaking",),
            ("markasspam",),
            False,
            ("POST /youtube/v3/comments/markAsSpam",),
        ),
    ),
    (
        "2026-06-16",
        "revision",
        _and("20260615", _subscribers_deprecated),
        told(
            "subscriberCount is deprecated",
            ("deprecation",),
            ("subscribercount",),
            True,
            (_CHANNELS,),
            ("subscriberCount",),
        ),
    ),
    (
        "2026-07-14",
        "revision, order",
        _and("20260713", _published_gone),
        told(
            "videoPublishedAt of a list's items is gone",
            ("breaking",),
            ("videopublishedat",),
            True,
            (_ITEMS,),
            ("videoPublishedAt",),
        ),
    ),
    (
        "2026-08-11",
        "revision",
        _and("20260810", _podcasts),
        told("A new call: podcasts.list", ("new",), ("podcasts",), False, ("GET /youtube/v3/podcasts",)),
    ),
    (
        "2026-09-15",
        "revision",
        _and("20260914", _handle_gone),
        told(
            "channels.list takes no forHandle",
            ("breaking",),
            ("forhandle",),
            True,
            (_CHANNELS,),
            ("forHandle",),
        ),
    ),
    ("2026-10-13", "revision, order, escapes", _revision("20261012"), ()),
)


def histories() -> Iterator[History]:
    url = "https://www.googleapis.com/discovery/v1/apis/youtube/v3/rest"
    yield history("spec_discovery", "youtube", url, YOUTUBE, _YOUTUBE_STEPS, {"prefix": "/youtube"})

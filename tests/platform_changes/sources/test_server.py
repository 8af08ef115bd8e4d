"""What a server says of itself, and what it says otherwise than before."""

import json
from typing import Any

import pytest

from chalicelib.platform_changes.model import Kind, SourceKind
from chalicelib.platform_changes.sources.catalogue import sources
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from chalicelib.platform_changes.sources.server import at_server, server_of
from tests.platform_changes.sources.kit import looks, source, titles

SERVER = source(SourceKind.SERVER)


def about(version: str = "4.4.3", api: int = 6, characters: int = 500, **more: Any) -> str:
    return json.dumps(
        {
            "domain": "social.planted.example",
            "version": version,
            "api_versions": {"mastodon": api},
            "configuration": {
                "statuses": {"max_characters": characters, "max_media_attachments": 4},
                "urls": {"status": "https://status.planted.example"},
            },
            **more,
        }
    )


def test_the_first_look_only_learns() -> None:
    assert looks(SERVER, about()) == []


def test_a_new_version_is_found_and_a_patch_is_not() -> None:
    (found,) = looks(SERVER, about(), about("4.5.0"))
    assert (found.title, found.versions) == ("social.planted.example runs 4.5.0; it was 4.4.3.", ("4.5",))
    assert looks(SERVER, about(), about("4.4.9+fork")) == []


def test_a_new_api_number_is_found_even_with_a_patch() -> None:
    assert len(looks(SERVER, about(), about("4.4.4", api=7))) == 1


def test_a_lower_limit_is_a_limit_and_a_higher_one_is_new() -> None:
    (lower,) = looks(SERVER, about(), about(characters=300))
    (higher,) = looks(SERVER, about(), about(characters=5000))
    assert (lower.hint, lower.fields, lower.text) == (
        Kind.LIMIT,
        ("configuration.statuses.max_characters",),
        "statuses.max_characters: 300, was 500.",
    )
    assert higher.hint is Kind.NEW


def test_a_type_of_file_that_is_no_longer_taken_is_a_limit() -> None:
    def taking(*types: str) -> str:
        return about(configuration={"media_attachments": {"supported_mime_types": list(types)}})

    (found,) = looks(SERVER, taking("image/heic", "image/png"), taking("image/png", "image/avif"))
    assert (found.hint, found.fields) == (
        Kind.LIMIT, ("configuration.media_attachments.supported_mime_types",),
    )  # fmt: skip
    assert "no longer image/heic" in found.text
    (more,) = looks(SERVER, taking("image/png"), taking("image/png", "image/avif"))
    assert more.hint is Kind.NEW
    assert looks(SERVER, about(), taking("image/png")) == []


def test_other_words_about_the_server_are_nothing() -> None:
    assert looks(SERVER, about(), about(description="new", usage={"users": {"active_month": 7}})) == []


def test_a_version_without_numbers_is_told_when_it_changes() -> None:
    assert titles(looks(SERVER, about("edge"), about("4.5.0"))) != []
    assert looks(SERVER, about("edge"), about("edge")) == []


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "{}", '{"version": 7}', '{"version": ""}', '{"a":' * 90_000]
)
def test_what_is_no_description_is_a_changed_shape(body: str) -> None:
    with pytest.raises(ChangedShape):
        reader(SourceKind.SERVER).read(SERVER, body.encode(), "application/json")


def test_parts_of_the_wrong_type_are_left_out() -> None:
    odd = json.dumps(
        {"version": "4.4.0", "api_versions": [1], "configuration": {"a": {"b": True, "c": "x"}, "d": 1.5}}
    )
    assert reader(SourceKind.SERVER).read(SERVER, odd.encode(), "")["limits"] == {}


def test_a_source_of_servers_becomes_the_source_of_one() -> None:
    one = at_server(sources()["mastodon-server"], "social.planted.example")
    assert one.url == "https://social.planted.example/api/v2/instance"
    assert one.key == "mastodon-server@social.planted.example"
    assert one.name == "Mastodon server social.planted.example"
    assert server_of(one.key) == "social.planted.example"
    assert server_of("mastodon-server") == ""

"""Releases of packages whose versions follow a platform's."""

import pytest

from chalicelib.platform_changes.model import Kind, SourceKind
from chalicelib.platform_changes.sources.reader import ChangedShape, reader
from tests.platform_changes.sources.kit import atom, looks, rss, source

PACKAGE = source(SourceKind.RELEASES, version="v{major}.0")
SERVER = source(SourceKind.RELEASES)
NAMED = source(SourceKind.RELEASES, named="@planted/api@")


def release(title: str, day: int = 20) -> tuple[str, str, str, str]:
    return (title, title, f"{day} Nov 2026 10:00:00 GMT", "")


def on_github(title: str, day: int = 20) -> tuple[str, str, str, str]:
    return (
        f"tag:{title}",
        title,
        f"2026-11-{day}T10:00:00Z",
        "&lt;p&gt;Adds `GET /api/v2/search` again.&lt;/p&gt;",
    )


def test_a_new_first_number_is_the_platforms_new_version() -> None:
    old = [release("25.0.1", 2), release("25.0.0", 1)]
    (found,) = looks(PACKAGE, rss(*old), rss(release("26.0.1", 21), release("26.0.0"), *old))
    assert (found.versions, found.hint, found.title) == (("v26.0",), Kind.NEW, "Planted: v26.0")
    assert found.text == "26.0.0"


def test_a_patch_of_a_known_version_is_nothing() -> None:
    assert looks(PACKAGE, rss(release("26.0.1")), rss(release("26.0.2", 21), release("26.0.1"))) == []


@pytest.mark.parametrize(
    "title", ["v4.5.0-rc.1", "v4.5.0rc1", "v4.5.0-beta.2", "4.5.0.dev1", "nightly", "v4.5.0a3"]
)
def test_what_is_not_finished_is_no_release(title: str) -> None:
    assert looks(SERVER, atom(on_github("v4.4.0")), atom(on_github(title, 21), on_github("v4.4.0"))) == []


def test_a_server_is_told_by_its_first_two_numbers_with_what_the_notes_name() -> None:
    (found,) = looks(SERVER, atom(on_github("v4.4.3")), atom(on_github("v4.5.0", 21), on_github("v4.4.3")))
    assert (found.versions, found.operations) == (("4.5",), ("GET /api/v2/search",))


def test_of_many_packages_only_the_named_one_counts() -> None:
    others = [on_github("@planted/pds@9.9.9"), on_github("@planted/api-tools@3.0.0")]
    (found,) = looks(NAMED, atom(*others), atom(on_github("@planted/api@0.16.0", 21), *others))
    assert found.versions == ("0.16",)


def test_the_first_look_gives_what_is_young() -> None:
    old = ("o", "24.0.0", "1 Jan 2026 10:00:00 GMT", "")
    assert [f.versions for f in looks(PACKAGE, rss(release("26.0.0"), old))] == [("v26.0",)]


def test_a_feed_without_releases_is_a_changed_shape() -> None:
    with pytest.raises(ChangedShape, match="none of its titles"):
        reader(SourceKind.RELEASES).read(SERVER, rss(release("Hello")).encode(), "")
    with pytest.raises(ChangedShape):
        reader(SourceKind.RELEASES).read(SERVER, b"<html>", "")

"""Our web pages' links, and pages that want to hurt whoever reads them."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.discovery.sites import links_in
from chalicelib.platforms.links import Address

HERE = "https://www.zorza.pl/kontakt/"


def addresses(html: str) -> list[tuple[str, str, bool]]:
    return [(link.address.platform, link.address.handle, link.says_me) for link in links_in(html, HERE)]


def test_links_of_every_spelling_are_read_once_and_rel_me_is_kept() -> None:
    html = """
      <A HREF='https://x.com/zorza' class=icon>X</A> <a class="b" href=https://www.tiktok.com/@zorza>T</a>
      <link rel="me nofollow" href="https://mastodon.social/@zorza">
      <a href="//instagram.com/zorza?a=1&amp;b=2">I</a>
      <a href="https://x.com/Zorza" rel="me">again</a> <area href="https://www.youtube.com/@zorza">
      <a data-href="https://x.com/not_this" href="/o-nas">no</a> <a title="a > b" href="https://x.com/lost">odd</a>
      <!-- <a href="https://x.com/old">old</a> --> <script>var a = "<b href='https://x.com/no'>";</script>
    """
    assert addresses(html) == [
        ("x", "zorza", True),
        ("tiktok", "zorza", False),
        ("mastodon", "zorza", True),
        ("instagram", "zorza", False),
        ("youtube", "zorza", False),
    ]


def test_a_relative_link_is_not_taken_for_a_profile_elsewhere() -> None:
    assert links_in('<a href="/@zorza">', "https://www.zorza.pl/")[0].address == Address(
        "mastodon", "https://zorza.pl", "zorza"
    )
    assert addresses('<a href="/zorza">') == []


def linked(*data: object, kind: str = "application/ld+json") -> str:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in data]
    return "".join(f'<script type="{kind}">{text}</script>' for text in texts)


def test_same_as_of_the_organisation_says_me_in_every_shape_that_it_has() -> None:
    shop = {
        "@type": ["Store", "Organization"],
        "url": "https://zorza.pl",
        "sameAs": "https://x.com/zorza_shop",
    }
    html = '<a href="https://www.facebook.com/zorza.list">F</a>' + linked(
        {"@context": "https://schema.org", "@type": "Organization",
         "sameAs": ["https://www.facebook.com/zorza.list", "https://linkedin.com/company/zorza/", 7, None]},
        [{"@graph": [{"@type": "WebSite", "publisher": {"sameAs": [{"@id": "https://www.tiktok.com/@zorza"}]}},
                     {"@type": "WebPage", "mainEntity": shop}]}],
    )  # fmt: skip
    assert addresses(html) == [
        ("facebook", "zorza.list", True),
        ("linkedin", "zorza", True),
        ("tiktok", "zorza", True),
        ("x", "zorza_shop", True),
    ]


def test_same_as_of_an_author_a_partner_or_anything_further_in_is_not_ours() -> None:
    html = linked(
        {"@type": "Person", "sameAs": "https://x.com/author"},
        {"@type": "Article", "author": {"sameAs": "https://x.com/author"}},
        {"@type": "Organization", "url": "https://partner.example/", "sameAs": "https://x.com/partner"},
        {"@type": "ItemList", "itemListElement": [{"item": {"sameAs": "https://x.com/listed"}}]},
    )
    assert addresses(html) == []


def test_what_is_no_linked_data_is_no_link_and_costs_none_of_the_others() -> None:
    ours = {"sameAs": "https://x.com/zorza"}
    assert addresses(linked(ours, kind="application/json")) == []
    assert addresses(f"<!-- {linked(ours)} -->") == []
    hostile = (
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 50_000,
        "9" * 5_000,
        "null",
        '"x"',
        "[[[]]]",
        "\x00",
        "[NaN]",
    )
    odd = {"@graph": {"@graph": []}, "sameAs": {"sameAs": {}}, "@type": {}, "url": ["http://[", 3]}
    assert addresses(linked(*hostile, odd, ours)) == [("x", "zorza", True)]
    assert addresses(linked({**ours, "more": "x" * 300_000})) == []
    assert addresses('<script type="application/ld+json">{"sameAs": "https://x.com/open"}') == []


NAMES = st.sampled_from(["@graph", "@id", "@type", "mainEntity", "publisher", "sameAs", "url"])


@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=30,
    )
)
def test_any_linked_data_can_be_read(data: object) -> None:
    links_in(linked(data), HERE)


@pytest.mark.parametrize(
    "piece",
    [
        '<script type="application/ld+json">',
        '<script type="application/ld+json">[</script>',
        "<!--",
        "<a ",
        "</",
        "<![CDATA[",
        "<a href='",
        '<a href="x" ',
        "&#",
        "<a href=x ",
        "<link rel=",
        "href=' ",
        "<" * 9,
    ],
)
def test_no_page_takes_long_to_read(piece: str) -> None:
    html = piece * (1_000_000 // len(piece))
    started = time.process_time()
    links_in(html, HERE)
    assert time.process_time() - started < 3


@given(st.text(max_size=500), st.text(max_size=50))
def test_any_page_can_be_read(html: str, url: str) -> None:
    links_in(f'{html}<a href="{html}">', url)

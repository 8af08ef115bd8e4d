"""A weekly scan: what is planned, what each look does, and what a failing one does not."""

import io
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from PIL import Image, ImageDraw

from chalicelib.core.history import BY_JOB
from chalicelib.discovery.looks import hit_of
from chalicelib.discovery.model import Source, State
from chalicelib.discovery.plan import looks_of, queries_of, spacing_of, turned
from chalicelib.discovery.reasons import Why
from chalicelib.discovery.scoring import name_in
from chalicelib.discovery.settings import Settings
from chalicelib.discovery.tellings import tell_in
from chalicelib.platforms.errors import RateLimited, Rejected, Unavailable
from chalicelib.platforms.registry import read_traits
from tests.discovery.conftest import MASTODON, Network, Office, profile


def logo(colour: str = "navy", kind: str = "PNG") -> bytes:
    picture = Image.new("RGB", (300, 300), "white")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((40, 60, 190, 220), fill=colour)
    pen.polygon([(150, 20), (280, 270), (200, 280)], fill="gold")
    stream = io.BytesIO()
    picture.save(stream, kind)
    return stream.getvalue()


def numbers(office: Office) -> dict[str, int]:
    row = office.candidates.store.row("scan#2026-W48", "numbers") or {}
    return {name: n for name, n in row.items() if name not in ("pk", "sk")}


def test_a_scan_searches_each_name_on_each_server_and_finds_the_impostor(office: Office) -> None:
    office.account("zorza", "Zorza")
    network = office.networks["mastodon"] = Network(
        {"Zorza": [profile("zorza", "Zorza"), profile("z0rza", "Zorza")]}
    )
    office.set(brands=("Zorza Dom",), servers={"mastodon": ("https://pol.social",)})
    office.scan()
    assert sorted(network.asked) == sorted(
        (words, server) for words in ("Zorza", "Zorza Dom") for server in (MASTODON, "https://pol.social")
    )
    found = office.found()
    assert {(c.handle, c.server) for c in found} == {
        ("z0rza", MASTODON), ("z0rza", "https://pol.social"), ("zorza", "https://pol.social"),
    }  # fmt: skip
    assert numbers(office)["new"] == 3


def test_a_second_scan_in_the_same_week_changes_nothing(office: Office) -> None:
    office.account("zorza", "Zorza")
    office.networks["mastodon"] = Network()
    assert office.plan.begin() == {"begun": 1}
    office.run_for(24)
    asked = len(office.networks["mastodon"].asked)
    assert office.plan.begin() == {"begun": 0}
    office.run_for(24)
    assert len(office.networks["mastodon"].asked) == asked


def test_a_search_that_fails_is_put_off_counted_and_loses_none_of_the_others(office: Office) -> None:
    office.account("zorza", "Zorza")
    office.set(brands=("Lidora", "Mehrava"))
    network = office.networks["mastodon"] = Network(
        {"Lidora": Unavailable("down"), "Zorza": [profile("z0rza", "Zorza")], "Mehrava": Rejected("no")}
    )
    office.scan(hours=36)
    assert [c.handle for c in office.found()] == ["z0rza"]
    assert [words for words, _ in network.asked].count("Lidora") == 4
    assert (numbers(office)["failed"], numbers(office)["done"]) == (2, 1 + 3)  # bluesky's searches among them


def test_a_rate_limit_is_waited_for_as_long_as_the_network_says(office: Office) -> None:
    office.account("zorza", "Zorza")
    until = office.stage.clock.now() + timedelta(hours=13)
    network = office.networks["mastodon"] = Network({"Zorza": RateLimited(until)})
    office.scan(hours=12)
    assert len(network.asked) == 1
    network.found["Zorza"] = [profile("z0rza", "Zorza")]
    office.run_for(2)
    assert [c.handle for c in office.found()] == ["z0rza"]


def test_a_network_without_the_credentials_it_needs_is_not_searched(office: Office) -> None:
    office.account("zorza", "Zorza")
    x = office.networks["x"] = Network({"Zorza": [profile("z0rza", "Zorza")]})
    office.scan()
    assert x.asked == []
    office.stage.secrets.put(office.stage.settings.secret_path("apps", "x"), {"bearer_token": "t"})
    assert "x" in {
        look.args.get("platform") for look in looks_of([], Settings(("Zorza",)), "2026-W48", ["x"])
    }
    assert office.keys.of("x") == {"bearer_token": "t"}


def test_pictures_of_ours_are_hashed_first_and_a_copied_one_gives_an_impostor_away(office: Office) -> None:
    ours = office.account("zorza", "Zorza", avatar_url="https://cdn.test/ours.png")
    office.web.put("https://cdn.test/ours.png", logo(), "image/png")
    office.web.put("https://cdn.test/theirs.jpg", logo(kind="JPEG"), "image/jpeg")
    thief = profile(
        "win_2026", "Customer Care", avatar_url="https://cdn.test/theirs.jpg", description="Claim your prize"
    )
    office.networks["mastodon"] = Network({"Zorza": [thief]})
    office.scan()
    assert len(office.accounts.get(ours.account_id).avatar_hash) == 16
    (found,) = office.found()
    assert Why.AVATAR in {reason.why for reason in found.reasons}


@pytest.mark.parametrize(
    "broken",
    [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, b"<svg onload=alert(1)>", b"\xff" * 2_100_000],
)
def test_a_picture_that_cannot_be_read_never_stops_a_scan(office: Office, broken: bytes) -> None:
    office.account("zorza", "Zorza")
    office.web.put("https://cdn.test/x.png", broken, "image/png")
    found = [profile("z0rza", "Zorza", avatar_url=url) for url in ("https://cdn.test/x.png",)]
    found.append(profile("zorrza", "Zorza", avatar_url="http://127.0.0.1/secret"))
    office.networks["mastodon"] = Network({"Zorza": found})
    office.scan()
    assert {c.handle for c in office.found()} == {"z0rza", "zorrza"}


def test_what_our_own_site_links_to_is_asked_about_with_that_reason(office: Office) -> None:
    office.account("zorza", "Zorza")
    office.set(sites=("https://www.zorza.pl/",))
    office.web.put("https://www.zorza.pl/", b"", status=301, Location="/pl/")
    office.web.put(
        "https://www.zorza.pl/pl/",
        b'<a href="https://mastodon.social/@Zorza">ours</a> <link rel="me" href="https://www.instagram.com/zakupy24/">'
        b'<!-- <a href="https://x.com/old"> --> <a href=https://www.facebook.com/sharer.php?u=x>share</a>',
    )
    office.scan()
    (found,) = office.found()
    assert (found.platform, found.handle) == ("instagram", "zakupy24")
    assert found.sources == {Source.SITE}
    assert found.reasons[0].why == Why.ON_OUR_SITE
    assert found.reasons[0].values == {"site": "www.zorza.pl"}


def test_a_site_that_leads_inside_or_in_circles_is_not_followed(office: Office) -> None:
    office.account("zorza", "Zorza")
    office.set(sites=("https://a.test/", "https://b.test/"))
    office.web.put("https://a.test/", b"", status=302, Location="http://169.254.169.254/latest/meta-data")
    office.web.put("https://b.test/", b"", status=302, Location="https://b.test/")
    office.scan()
    asked = [request.url for request in office.web.requests]
    assert not any("169.254" in url for url in asked)
    assert asked.count("https://b.test/") == 4 * 4  # four hops, and four times put off
    assert office.found() == []


def test_what_is_told_is_read_where_anybody_may_read_and_believed_where_not(office: Office) -> None:
    office.account("zorza", "Zorza")
    office.networks["mastodon"] = Network(profiles={"kasyno": profile("kasyno", "Kasyno Online")})
    change = office.stage.kernel.change(BY_JOB)
    tell_in(
        change,
        Source.REPORT,
        ["https://mastodon.social/@kasyno", "https://www.instagram.com/zorza_vip/"],
        "oszust",
    )
    office.stage.kernel.commit(change)
    office.run_due()
    assert {(c.platform, c.handle, c.profile.name) for c in office.found()} == {
        ("mastodon", "kasyno", "Kasyno Online"), ("instagram", "zorza_vip", "zorza_vip"),
    }  # fmt: skip


def test_a_token_for_searching_is_not_used_to_read_a_profile_that_anybody_may_read(office: Office) -> None:
    office.account("zorza", "Zorza")
    for name in ("mastodon", "youtube"):
        office.networks[name] = Network()
        office.stage.secrets.put(office.stage.settings.secret_path("apps", name), {"api_key": "k"})
    change = office.stage.kernel.change(BY_JOB)
    tell_in(change, Source.REPORT, ["https://mastodon.social/@kasyno", "https://www.youtube.com/@kasyno"])
    office.stage.kernel.commit(change)
    office.run_due()
    assert office.networks["mastodon"].read_with == [{}]
    assert office.networks["youtube"].read_with == [{"api_key": "k"}]


def test_an_export_asks_only_about_what_looks_like_us(office: Office) -> None:
    office.account("zorza", "Zorza")
    change = office.stage.kernel.change(BY_JOB)
    tell_in(change, Source.EXPORT, ["https://x.com/zorza_help", "https://x.com/somebody_else"])
    office.stage.kernel.commit(change)
    office.run_due()
    assert [c.handle for c in office.found(State.NEW)] == ["zorza_help"]


def test_a_profile_that_lives_elsewhere_is_kept_where_it_lives() -> None:
    found = hit_of("mastodon", MASTODON, profile("zorza@pol.social", external_id=""))
    assert found is not None
    assert (found.server, found.profile.handle) == ("https://pol.social", "zorza")
    for handle in ("zorza@", "zorza@local host", "a" * 300, "zorza@[::1]", "zor za", ""):
        assert hit_of("mastodon", MASTODON, profile(handle)) is None


def test_names_are_searched_once_however_they_are_spelled() -> None:
    assert queries_of(["Zorza", "ZORZA", "Żorza", "X", "", "Lidora  Dom"]) == ["Zorza", "Lidora Dom"]


def test_a_copied_handle_is_found_under_whatever_name(office: Office) -> None:
    office.account("zorza_krakow_pl", "Nasza Zorza")
    thief = profile("zorza_krakow_24", "Bony i nagrody", description="Claim your prize on WhatsApp")
    network = office.networks["mastodon"] = Network({"zorza_krakow": [thief]})
    office.scan()
    assert {words for words, _ in network.asked} == {"Nasza Zorza", "zorza_krakow"}
    assert [c.handle for c in office.found()] == ["zorza_krakow_24"]


@pytest.mark.parametrize(
    ("handle", "searched"),
    [
        ("@zorza_official@pol.social", "zorza"),
        ("zorza.krakow.bsky.social", "zorza"),
        ("oficjalna_zorza-dom_24", "zorza-dom"),
        ("www.zorza.pl", "zorza"),
        ("Zorza7", "Zorza7"),
        ("support_pl", ""),
        ("48600100200", ""),
        ("", ""),
    ],
)
def test_of_a_handle_only_what_is_a_name_is_searched_for(handle: str, searched: str) -> None:
    assert name_in(handle) == searched


def test_a_handle_that_spells_a_name_or_is_the_networks_own_id_costs_no_search(office: Office) -> None:
    ours = [
        office.account("zorza", "Zorza"), office.account("zorza_pl", "Zorza"),
        office.account("UCzorza", "Zorza", external_id="UCzorza"),
    ]  # fmt: skip
    looks = looks_of(ours, Settings(), "2026-W48", ["mastodon"])
    assert {look.args["words"] for look in looks} == {"Zorza"}


def test_with_handles_too_a_week_of_searches_keeps_to_half_of_each_networks_rate(office: Office) -> None:
    one = office.account("z", "Z")
    ours = [replace(one, handle=f"h{n}x_zorza", display_name=f"Zorza {n}") for n in range(400)]
    searched = ("bluesky", "mastodon", "x", "youtube")
    looks = [look for look in looks_of(ours, Settings(), "2026-W48", searched) if look.source == "search"]
    for platform in searched:
        times = sorted(look.after for look in looks if look.args["platform"] == platform)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        rate = next((r for r in read_traits(platform).rates if "search" in r.what), None)
        assert min(gaps) >= (2 * rate.per_for / rate.most if rate else timedelta(seconds=2))
        assert times[-1] <= timedelta(days=6)
        assert len(times) == (300 if rate else 800)


def test_what_does_not_fit_into_a_week_comes_in_the_next_ones() -> None:
    names = [f"name {n}" for n in range(10)]
    weeks = [turned(names, f"2026-W{n:02d}", 4) for n in range(1, 6)]
    assert all(len(week) == 4 for week in weeks)
    assert {name for week in weeks for name in week} == set(names)


def test_searches_take_half_of_what_a_network_allows() -> None:
    assert spacing_of("youtube", 500) * 100 >= timedelta(days=2)
    assert spacing_of("mastodon", 10) == timedelta(hours=12) / 10

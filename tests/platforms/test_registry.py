"""What every network must keep to, checked for each one in the registry."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms import registry
from chalicelib.platforms.port import ABILITIES, Content
from tests.platforms.prepared import ready_to_publish
from tests.platforms.support import NOW, PERSIAN, PHOTO, POLISH, WITH_PHOTO, Bench

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("name", registry.names())


@EVERY
def test_traits_are_complete(name: str) -> None:
    traits = registry.traits(name)
    assert traits.platform == name
    assert traits.name
    assert traits.counted_in
    assert traits.default_server.startswith("https://")
    assert traits.limits.characters > 0
    assert traits.limits.media > 0
    assert traits.limits.media_rules
    assert traits.limits.read_at is None
    assert all(rule.most_bytes > 0 and rule.mimes for rule in traits.limits.media_rules)
    assert traits.rates
    assert timedelta(0) < traits.publish_for <= timedelta(minutes=1)
    assert timedelta(0) <= traits.visible_after_for <= timedelta(hours=1)
    assert (traits.version is None) == (traits.version_ends_on is None)


@EVERY
def test_every_ability_that_is_declared_is_there(name: str) -> None:
    bench = Bench(name, [])
    declared = registry.traits(name).abilities
    assert declared <= set(ABILITIES)
    for word, protocol in ABILITIES.items():
        assert isinstance(bench.adapter, protocol) == (word in declared)


@EVERY
def test_constructing_planning_and_checking_call_nobody(name: str) -> None:
    bench = Bench(name, [])
    content = Content(PERSIAN, (PHOTO,), "fa")
    limits = registry.traits(name).limits
    assert bench.adapter.problems(content, limits) == []
    assert bench.adapter.count(content, limits) > 0
    bench.adapter.plan(content, NOW, "variant_1")
    assert bench.transport.requests == []
    assert bench.sessions.writes == 0


@EVERY
def test_a_plan_is_the_same_for_the_same_variant_and_another_for_another(name: str) -> None:
    adapter = Bench(name, []).adapter
    content = Content(POLISH)
    assert adapter.plan(content, NOW, "variant_1") == adapter.plan(content, NOW, "variant_1")
    assert adapter.plan(content, NOW, "variant_1") != adapter.plan(content, NOW, "variant_2")


@EVERY
def test_nothing_of_an_account_or_a_content_is_shown_that_is_secret(name: str) -> None:
    bench = Bench(name, [])
    shown = f"{bench.account!r} {Content(PERSIAN, (PHOTO,))!r} {PHOTO!r}"
    for secret in (*bench.account.credentials.values(), PERSIAN, PHOTO.alt):
        assert secret not in shown


def test_a_name_that_nobody_has_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidInput, match="bluesky, mastodon"):
        registry.traits("friendster")


def test_all_that_we_hear_from_or_publish_to_can_be_read_but_whatsapp_which_has_no_profiles() -> None:
    assert {*registry.names(), *registry.receiving_names()} - set(registry.reading_names()) == {"whatsapp"}
    assert set(registry.searching_names()) < set(registry.reading_names())


@pytest.mark.parametrize("name", registry.reading_names())
def test_a_network_has_one_name_wherever_it_is_told_and_one_server_where_it_has_no_more(name: str) -> None:
    told, heard = registry.read_traits(name), registry.inbound_only(name)
    assert told.name == (heard or registry.traits(name)).name
    assert heard is None or told.default_server == heard.default_server


def test_looking_at_traits_loads_neither_urllib3_nor_regex() -> None:
    code = (
        "import sys; from chalicelib.platforms import port, registry\n"
        "[registry.traits(name) for name in registry.names()]\n"
        "[registry.read_traits(name) for name in registry.reading_names()]\n"
        "print(sorted({'urllib3', 'regex', 'ssl', 'boto3', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_network_is_named_outside_its_folder_and_the_registry() -> None:
    said = []
    for path in (ROOT / "chalicelib").rglob("*.py"):
        place = path.relative_to(ROOT / "chalicelib").as_posix()
        names = [name for name in registry.names() if not place.startswith(f"platforms/{name}/")]
        words = path.read_text(encoding="utf-8").lower()
        if place not in ("platforms/registry.py", "platforms/links.py"):
            said += [f"{place} names {name}" for name in names if name in words]
    assert said == []


@EVERY
def test_a_checkpoint_survives_being_stored(name: str) -> None:
    _, checkpoint = ready_to_publish(name, WITH_PHOTO, [])
    assert json.loads(json.dumps(checkpoint)) == checkpoint

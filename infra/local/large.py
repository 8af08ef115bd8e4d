"""Growing the sample company to 320 accounts in 24 districts: planted.py and lookalikes.py made real.

Whatever is there is left as it is, so that growing can be begun again where it was cut short.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from infra.local.api import Api, fetch_json
from infra.local.lookalikes import others
from infra.local.planted import BRANDS, OFF_SEASON, PAUSE, SEASIDE, Brand, Planted, ours

ZONES = {"pl": "Europe/Warsaw", "de": "Europe/Berlin", "en": "Europe/London", "fa": "Asia/Tehran"}
# Signalbox writes mails in Polish, English and Persian.
MAIL_LANGUAGES = {"de": "en"}
MANAGERS = {
    "kaszuby": "Bożena Formela", "podlasie": "Witold Sawicki", "roztocze": "Danuta Kłos",
    "bieszczady": "Roman Hucuł", "warmia": "Irena Ziółek", "kujawy": "Zdzisław Pałuk",
    SEASIDE: "Teresa Nehring", "eifel": "Anke Schommers", "allgaeu": "Vinzenz Kögel",
    "uckermark": "Heike Prenz", "lausitz": "Jurij Nowotny", "sauerland": "Detlef Hüttner",
    "norfolk": "Edith Thaxter", "cornwall": "Jory Pender", "cumbria": "Winifred Tyson",
    "suffolk": "Rupert Aldous", "dorset": "Tamsin Legg", "gilan": "فرهاد گیلک",
    "lorestan": "مهری سلاحورزی", "mazandaran": "بهرام اسپهبد", "semnan": "لیلا دامغانی",
}  # fmt: skip
_AT_ONCE = 4


def grow(stack: Any) -> None:
    """Bring the running sample company to its large size. Raises ApiError."""
    api = Api(stack.api_url, stack.tokens["lead"])
    today = datetime.now(UTC)
    plant(stack, today)
    owners = _districts(api)
    rows = [row_of(account, stack.platform_url, *owners[account.district]) for account in ours()]
    api.post("/v1/register/import", {"accounts": rows})
    _excuse(api, owners[SEASIDE][0], today.date())


def plant(stack: Any, now: datetime) -> None:
    """Make every profile on the local platform, ours and the others, and have some of ours fail."""
    profiles = [planted.profile(now) for planted in (*ours(), *others())]
    fetch_json(f"{stack.platform_url}/_local/profiles", {"profiles": profiles})
    break_some(stack)


def break_some(stack: Any) -> None:
    """Have reads of some accounts fail, which the local platform forgets when it stops."""
    for account in ours():
        if account.fails:
            rule = {"account": account.username, "route": "reads", "mode": account.fails}
            fetch_json(f"{stack.platform_url}/_local/misbehave", rule)


def row_of(account: Planted, server: str, unit_id: str, owner_id: str) -> dict[str, Any]:
    """An account as the register's import takes it."""
    return {
        "platform": account.network,
        "server": server,
        "handle": account.username,
        "display_name": account.name,
        "unit_id": unit_id,
        "owner_id": owner_id,
        "purpose": account.purpose,
        "audience": "customers",
        "languages": [account.language],
    }


def _districts(api: Api) -> dict[str, tuple[str, str]]:
    """The 21 districts and their managers, those that are not there yet made: both ids, by the district."""
    listed = api.get("/v1/units")["units"]
    company_id = next(unit["unit_id"] for unit in listed if unit["kind"] == "company")
    units = {unit["name"]: unit for unit in listed}
    people = {person["email"]: person["person_id"] for person in every(api, "/v1/people", "people")}

    def made(brand: Brand) -> tuple[str, str]:
        body = {"name": brand.district, "kind": "district", "parent_id": company_id}
        unit = units.get(brand.district) or api.post("/v1/units", body)
        unit_id, email = unit["unit_id"], f"manager.{brand.key}@zorza.example"
        person_id = people.get(email) or _manager(api, brand, email)
        if unit.get("lead_id") != person_id:
            grant = {"role": "district_manager", "unit_id": unit_id}
            api.post(f"/v1/people/{person_id}/grants", grant)
            api.patch(f"/v1/units/{unit_id}", {"lead_id": person_id})
        return unit_id, person_id

    return {brand.key: ids for brand, ids in zip(BRANDS, _each(made, BRANDS), strict=True)}


def _manager(api: Api, brand: Brand, email: str) -> str:
    language = MAIL_LANGUAGES.get(brand.language, brand.language)
    zone, name = ZONES[brand.language], MANAGERS[brand.key]
    person = api.post("/v1/people", {"name": name, "email": email, "zone": zone, "language": language})
    return str(person["person_id"])


def _excuse(api: Api, seaside_id: str, today: date) -> None:
    """Write down the pauses and the off-season that excuse some silences."""
    first, last = (today + timedelta(days=n) for n in OFF_SEASON)
    season = {"starts": f"{first:%m-%d}", "ends": f"{last:%m-%d}", "why": "the harbours are closed"}
    place = f"/v1/dormancy/standards/{seaside_id}"
    own = api.get(place)["own"]
    if not own["seasons"]:
        api.put(place, {"seasons": [season], "version": own["version"]})
    paused = {account.username for account in ours() if account.is_paused}
    listed = [a for a in every(api, "/v1/register", "accounts") if a["handle"] in paused]
    starts_on, ends_on = (str(today + timedelta(days=n)) for n in PAUSE)
    pause = {"starts_on": starts_on, "ends_on": ends_on, "why": "the shop is being rebuilt"}

    def write(account: dict[str, Any]) -> None:
        place = f"/v1/dormancy/accounts/{account['account_id']}/pauses"
        known = api.get(place)
        if not known["pauses"]:
            api.put(place, {"pauses": [pause], "version": known["version"]})

    _each(write, listed)


def every(api: Api, path: str, name: str, **query: str) -> list[dict[str, Any]]:
    """All of a list that comes in pages."""
    found: list[dict[str, Any]] = []
    while True:
        page = api.get(f"{path}?{urlencode({'limit': 100, **query})}")
        found += page[name]
        if not page["cursor"]:
            return found
        query["cursor"] = page["cursor"]


def _each(do: Any, given: Iterable[Any]) -> list[Any]:
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(do, given))

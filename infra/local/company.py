"""The sample company: Zorza, a maker of lamps with a lead, three districts, twelve people and forty accounts.

Everything but the first lead and the secrets of webhooks comes in through the deployed API, as a real
company's would. Four more profiles are only heard from: their ids and secrets are invented. What makes it a
company of 320 accounts is in large.py.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.api import Api, fetch_json
from infra.local.stack import COMPANY
from infra.package import ROOT

LEAD = ("Maja Orłowska", "maja.orlowska@zorza.example", "Europe/Warsaw", "en")


@dataclass(frozen=True)
class Member:
    """A person of the sample company; `unit` and `role` are what they are granted."""

    key: str
    name: str
    email: str
    zone: str
    language: str
    unit: str
    role: str


DISTRICTS = (
    ("mazowsze", "Mazowsze", "district"),
    ("pomorze", "Pomorze", "district"),
    ("isfahan", "اصفهان", "district"),
)
WARSAW, TEHRAN, MANAGER = "Europe/Warsaw", "Asia/Tehran", "district_manager"
MEMBERS = (
    Member("manager_mazowsze", "Łukasz Wiśniewski", "lukasz.wisniewski", WARSAW, "pl", "mazowsze", MANAGER),
    Member("manager_pomorze", "Grażyna Żółtowska", "grazyna.zoltowska", WARSAW, "pl", "pomorze", MANAGER),
    Member("manager_isfahan", "نسرین احمدی", "nasrin.ahmadi", TEHRAN, "fa", "isfahan", MANAGER),
    Member("author", "Zofia Śliwińska", "zofia.sliwinska", WARSAW, "pl", "mazowsze", "author"),
    Member("author_isfahan", "کاوه رضایی", "kaveh.rezaei", TEHRAN, "fa", "isfahan", "author"),
    Member("author_pomorze", "Jakub Święcicki", "jakub.swiecicki", WARSAW, "pl", "pomorze", "author"),
    Member("approver", "Agnieszka Kowalczyk", "agnieszka.kowalczyk", WARSAW, "en", "company", "approver"),
    Member("approver_isfahan", "شیرین کریمی", "shirin.karimi", TEHRAN, "fa", "isfahan", "approver"),
    Member("responder", "Piotr Dąbrowski", "piotr.dabrowski", WARSAW, "pl", "company", "responder"),
    Member("analyst", "Ewa Jabłońska", "ewa.jablonska", WARSAW, "pl", "company", "analyst"),
    Member("ops", "Reza Mohammadi", "reza.mohammadi", TEHRAN, "en", "company", "ops"),
)  # fmt: skip
PURPOSES = (
    ("news", "Aktualności", "اخبار"),
    ("care", "Obsługa klienta", "پشتیبانی"),
    ("careers", "Kariera", "فرصت‌های شغلی"),
    ("stores", "Sklepy", "فروشگاه‌ها"),
    ("events", "Wydarzenia", "رویدادها"),
    ("design", "Projekt", "طراحی"),
    ("green", "Środowisko", "محیط زیست"),
    ("kids", "Dla dzieci", "کودکان"),
    ("museum", "Muzeum Światła", "موزه نور"),
    ("press", "Dla prasy", "رسانه‌ها"),
    ("offers", "Okazje", "پیشنهادها"),
    ("workshop", "Warsztat", "کارگاه"),
    ("history", "Historia", "تاریخچه"),
)


@dataclass(frozen=True)
class Heard:
    """A profile on a network that Signalbox hears from and cannot publish to yet."""

    platform: str
    handle: str
    external_id: str
    unit: str


HEARD = (
    Heard("facebook", "zorza.lampy", "108242001357911", "mazowsze"),
    Heard("instagram", "zorza.lampy", "17841400008460056", "mazowsze"),
    Heard("x", "zorza_lampy", "1577810442311921665", "pomorze"),
    Heard("linkedin", "zorza", "urn:li:organization:90417723", "company"),
)
SIGNING = ("facebook", "instagram", "threads", "x", "linkedin", "tiktok", "youtube", "mastodon")
VERIFY_TOKEN = "zorza-verify-token"  # nosec B105 - of a company that does not exist


def webhook_secret(platform: str) -> str:
    """What the platform's deliveries to the sample company are signed with."""
    return f"zorza-{platform}-secret"


def load(stack: Any, folder: Path) -> dict[str, str]:
    """Fill an empty stack, whose state is in that folder, and return tokens by role.

    Raises ApiError or CalledProcessError where it fails.
    """
    lead_id, lead_token = _first_lead(folder)
    api = Api(stack.api_url, lead_token)
    company_id = next(u["unit_id"] for u in api.get("/v1/units")["units"] if u["kind"] == "company")
    units = {"company": company_id}
    for key, name, kind in DISTRICTS:
        body = {"name": name, "kind": kind, "parent_id": company_id}
        units[key] = api.post("/v1/units", body)["unit_id"]
    people, tokens = {"lead": lead_id}, {"lead": lead_token}
    for member in MEMBERS:
        person_id, token = _join(api, member, units[member.unit])
        people[member.key] = person_id
        tokens.setdefault(member.role if member.key == member.role else member.key, token)
    for key, _, _ in DISTRICTS:
        api.patch(f"/v1/units/{units[key]}", {"lead_id": people[f"manager_{key}"]})
    plans = _accounts(units, people)
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda plan: _open_account(stack, api, plan), plans))
    for profile in HEARD:
        owner_id = people["lead" if profile.unit == "company" else f"manager_{profile.unit}"]
        api.post("/v1/accounts", _heard(profile, units[profile.unit], owner_id))
    _keep_webhook_secrets(stack)
    return tokens


def _first_lead(folder: Path) -> tuple[str, str]:
    name, email, zone, language = LEAD
    said = _admin(folder, "first-lead", "--company", COMPANY, "--name", name, "--email", email, "--zone",
                  zone, "--language", language)  # fmt: skip
    person_id = next(word for word in said.split() if word.startswith("person_"))
    token = _admin(folder, "issue-token", person_id, "--label", "sample company")
    return person_id, next(word for word in token.split() if word.startswith("sb_"))


def _admin(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "infra/admin.py", "--stage", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, "SIGNALBOX_LOCAL_DIR": str(folder)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _join(api: Api, member: Member, unit_id: str) -> tuple[str, str]:
    person = api.post(
        "/v1/people",
        {
            "name": member.name,
            "email": f"{member.email}@zorza.example",
            "zone": member.zone,
            "language": member.language,
        },
    )
    person_id = person["person_id"]
    api.post(f"/v1/people/{person_id}/grants", {"role": member.role, "unit_id": unit_id})
    token = api.post(f"/v1/people/{person_id}/tokens", {"label": "sample company"})
    return person_id, token["token"]


def _accounts(units: dict[str, str], people: dict[str, str]) -> list[dict[str, str]]:
    plans = [
        _plan("zorza", COMPANY, "mastodon", units["company"], people["lead"], people["ops"], "company news")
    ]
    for place, (unit, unit_name, _) in enumerate(DISTRICTS):
        for n, (purpose, polish, persian) in enumerate(PURPOSES):
            network = "mastodon" if (n + place) % 2 == 0 else "bluesky"
            name = f"{COMPANY} {unit_name}: {persian if unit == 'isfahan' else polish}"
            plans.append(
                _plan(
                    f"{unit}-{purpose}",
                    name,
                    network,
                    units[unit],
                    people[f"manager_{unit}"],
                    people["lead"],
                    purpose,
                )
            )
    return plans


def _plan(
    username: str, display_name: str, network: str, unit_id: str, owner_id: str, backup_id: str, purpose: str
) -> dict[str, str]:
    return {
        "username": username.replace("-", "_") if network == "mastodon" else f"{username}.test",
        "display_name": display_name,
        "network": network,
        "unit_id": unit_id,
        "owner_id": owner_id,
        "backup_id": backup_id,
        "purpose": purpose,
    }


def _open_account(stack: Any, api: Api, plan: dict[str, str]) -> None:
    """Make the profile on the local platform, then connect it through the API."""
    asked = {k: plan[k] for k in ("username", "display_name", "network")}
    password = f"{plan['username']}-password"
    made = fetch_json(f"{stack.platform_url}/_local/accounts", {**asked, "password": password})
    credentials = (
        {"access_token": made["access_token"]}
        if plan["network"] == "mastodon"
        else {"identifier": plan["username"], "password": password}
    )
    api.post(
        "/v1/accounts",
        {
            "platform": plan["network"],
            "server": stack.platform_url,
            "handle": plan["username"],
            "unit_id": plan["unit_id"],
            "owner_id": plan["owner_id"],
            "backup_id": plan["backup_id"],
            "purpose": plan["purpose"],
            "audience": "customers",
            "credentials": credentials,
        },
    )


def _heard(profile: Heard, unit_id: str, owner_id: str) -> dict[str, str]:
    return {
        "platform": profile.platform,
        "handle": profile.handle,
        "external_id": profile.external_id,
        "unit_id": unit_id,
        "owner_id": owner_id,
        "purpose": "care",
        "audience": "customers",
    }


def _keep_webhook_secrets(stack: Any) -> None:
    """As `infra/admin.py webhook-secret` does, which would ask for each of them on the terminal."""
    ssm = stack.client("ssm")
    for platform in SIGNING:
        values = {"secret": webhook_secret(platform), "verify_token": VERIFY_TOKEN}
        ssm.put_parameter(
            Name=f"/signalbox/{stack.stage}/webhooks/{platform}/default",
            Value=json.dumps(values),
            Type="SecureString",
            Overwrite=True,
        )

"""The large sample company as data: 276 accounts more in 21 districts, and the truth about each of them,
which tests and the bench compare with what a daily check finds.

Every district has a brand of its own, so that names are in Polish, German, English and Persian. What stands
around them is in lookalikes.py. Signalbox sees none of the truth: only profiles, and an import.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

MASTODON, BLUESKY = "mastodon", "bluesky"
SEASIDE = "zulawy"  # its off-season is now
OFF_SEASON = (-150, 30)  # days from today
PAUSE = (-100, 20)
SEED = "Zorza of 320"


@dataclass(frozen=True)
class Brand:
    """A district: its key and name, its brand, the brand's handle, language and trade."""

    key: str
    district: str
    name: str
    handle: str
    language: str
    trade: str


@dataclass(frozen=True)
class Planted:
    """A profile of the local platform, and the truth about it; times are days ago.

    Of ours: `district` is whose it is, `sign` what a daily check must find, `same_as` the handle that a
    duplicate repeats, `fails` what its reads are answered with. Of others: `what` it is, and whether somebody
    `is_wanted` to look at it.
    """

    network: str
    username: str
    name: str
    note: str
    avatar: str
    followers: int
    opened: int
    posted: int | None
    district: str = ""
    purpose: str = ""
    language: str = ""
    sign: str = "active"
    state: str = "active"
    fails: str = ""
    is_paused: bool = False
    same_as: str = ""
    what: str = ""
    is_wanted: bool = False

    @property
    def is_ours(self) -> bool:
        return bool(self.district)

    def profile(self, now: datetime) -> dict[str, Any]:
        """As `POST /_local/profiles` takes it."""
        posted = None if self.posted is None else (now - timedelta(days=self.posted)).isoformat()
        return {
            "network": self.network,
            "username": self.username,
            "display_name": self.name,
            "note": self.note,
            "avatar": self.avatar,
            "followers": self.followers,
            "created_at": (now - timedelta(days=self.opened)).isoformat(),
            "last_post_at": posted,
            "state": self.state,
        }


BRANDS = (
    Brand("kaszuby", "Kaszuby", "Bursztynek", "bursztynek", "pl",
          "Lampy z bursztynu i szkła dmuchanego w Kartuzach"),
    Brand("podlasie", "Podlasie", "Żubrowy Blask", "zubrowyblask", "pl",
          "Kinkiety kute w puszczy, każdy numerowany i podpisany"),
    Brand("roztocze", "Roztocze", "Skierka", "skierka", "pl",
          "Lampki nocne dla dzieci, drewno lipowe, ciepła barwa"),
    Brand("bieszczady", "Bieszczady", "Ognik Leśny", "ogniklesny", "pl",
          "Latarki i czołówki dla schronisk, ratowników, wędrowców"),
    Brand("warmia", "Warmia", "Łuczywo", "luczywo", "pl",
          "Świece z wosku pszczelego, knoty lniane, formy gliniane"),
    Brand("kujawy", "Kujawy", "Świecznik Kujawski", "swiecznikkujawski", "pl",
          "Żyrandole mosiężne odnawiane oraz nowe, montaż w kościołach"),
    Brand(SEASIDE, "Żuławy", "Latarnia Żuławska", "latarniazulawska", "pl",
          "Oświetlenie przystani, pomostów, łodzi; latem codziennie"),
    Brand("eifel", "Eifel", "Lichtwerk Ahrens", "lichtwerkahrens", "de",
          "Straßenlaternen aus Gusseisen, gegossen in Gerolstein seit 1887"),
    Brand("allgaeu", "Allgäu", "Almleuchten", "almleuchten", "de",
          "Hängelampen aus Filz, genäht auf Höfen zwischen Isny und Füssen"),
    Brand("uckermark", "Uckermark", "Fackel & Docht", "fackeldocht", "de",
          "Gartenfackeln, Windlichter, Öllampen, handgezogene Kerzen"),
    Brand("lausitz", "Lausitz", "Glimmerhaus", "glimmerhaus", "de",
          "Tischleuchten aus Rauchglas, mundgeblasen in Weißwasser"),
    Brand("sauerland", "Sauerland", "Grubenlampe Hüttner", "grubenlampehuettner", "de",
          "Sicherheitsleuchten für Bergwerke, Tunnel, Feuerwehren"),
    Brand("norfolk", "Norfolk", "Emberley", "emberley", "en",
          "Reading lamps in brass and oak, wired by hand near Holt"),
    Brand("cornwall", "Cornwall", "Tinwick Lanterns", "tinwicklanterns", "en",
          "Ship lanterns restored in Newlyn, oil or electric, any harbour"),
    Brand("cumbria", "Cumbria", "Fellglow", "fellglow", "en",
          "Head torches tested on winter ridges, lifetime repair bench"),
    Brand("suffolk", "Suffolk", "Wickham & Rush", "wickhamrush", "en",
          "Paper lampshades printed with marsh birds, refills by post"),
    Brand("dorset", "Dorset", "Chalklight", "chalklight", "en",
          "Garden lights that run on sun, dug in without tools"),
    Brand("gilan", "گیلان", "فانوس مهتاب", "fanoosmahtab", "fa",
          "فانوس دست ساز از برنج و شیشه رنگی ساخت رشت با امکان سفارش اندازه"),
    Brand("lorestan", "لرستان", "چلچراغ نیکان", "chelcheraghnikan", "fa",
          "لوستر کریستال برای تالار و مسجد همراه نصب رایگان در غرب کشور"),
    Brand("mazandaran", "مازندران", "شمعدان پارسا", "shamdanparsa", "fa",
          "شمعدان چوبی و سرامیکی کار استادکاران آمل برای سفره عقد"),
    Brand("semnan", "سمنان", "پرتو کویر", "partokavir", "fa",
          "چراغ خورشیدی برای باغ و روستا دوام بالا بدون سیم کشی"),
)  # fmt: skip
# What a channel is for: its code in handles and purposes, and its name where the brand's alone is not it.
PURPOSES: tuple[tuple[str, dict[str, str]], ...] = (
    ("news", {}),
    ("care", {"pl": "Obsługa klienta", "de": "Kundendienst", "en": "Customer care", "fa": "پشتیبانی"}),
    ("careers", {"pl": "Kariera", "de": "Karriere", "en": "Careers", "fa": "فرصت‌های شغلی"}),
    ("stores", {"pl": "Sklepy", "de": "Läden", "en": "Shops", "fa": "فروشگاه‌ها"}),
    ("events", {"pl": "Wydarzenia", "de": "Termine", "en": "Events", "fa": "رویدادها"}),
    ("design", {"pl": "Projekt", "de": "Entwurf", "en": "Design", "fa": "طراحی"}),
    ("green", {"pl": "Środowisko", "de": "Umwelt", "en": "Environment", "fa": "محیط زیست"}),
    ("kids", {"pl": "Dla dzieci", "de": "Für Kinder", "en": "Children", "fa": "کودکان"}),
    ("museum", {"pl": "Muzeum", "de": "Museum", "en": "Museum", "fa": "موزه"}),
    ("press", {"pl": "Dla prasy", "de": "Presse", "en": "Press room", "fa": "رسانه‌ها"}),
    ("offers", {"pl": "Okazje", "de": "Angebote", "en": "Offers", "fa": "پیشنهادها"}),
    ("workshop", {"pl": "Warsztat", "de": "Werkstatt", "en": "Workshop", "fa": "کارگاه"}),
    ("history", {"pl": "Historia", "de": "Geschichte", "en": "History", "fa": "تاریخچه"}),
)
_FEWER = 6  # districts without the last of them
_DUPLICATES = 9

# Of ours, counted out in this order over accounts drawn by lot; the rest posted within the last four weeks.
_DORMANT, _QUIET, _PAUSED, _NEVER, _BROKEN, _CLOSED = 40, 30, 6, 5, 4, 10
_SHUT = ("takendown", "deactivated")  # on Bluesky; on Mastodon it is suspended


@cache
def ours() -> tuple[Planted, ...]:
    """The accounts of the 21 districts, with their truth."""
    chance = random.Random(SEED)  # nosec B311 - no secret
    made = [account for place, brand in enumerate(BRANDS) for account in _of_brand(brand, place, chance)]
    seaside = [a for a in made if a.district == SEASIDE]
    drawn = [a for a in made if a.district != SEASIDE]
    chance.shuffle(drawn)
    fates = _fates(chance)
    told = {a.username: _told(a, next(fates, {})) for a in drawn}
    told |= {a.username: _at_the_seaside(a, n, chance) for n, a in enumerate(seaside)}
    return tuple(told[account.username] for account in made)


def duplicates() -> frozenset[tuple[str, str]]:
    """The pairs among ours that do the same, by their handles."""
    return frozenset((a.same_as, a.username) for a in ours() if a.same_as)


def handle_of(network: str, *parts: str) -> str:
    """The parts as one handle of a network."""
    return "_".join(parts) if network == MASTODON else f"{'-'.join(parts)}.test"


def named(brand: Brand, names: dict[str, str]) -> str:
    """A channel's name: the brand's, and what it is for where it is not the brand's main one."""
    return f"{brand.name}: {names[brand.language]}" if names else brand.name


# How they are made


def _of_brand(brand: Brand, place: int, chance: random.Random) -> Iterator[Planted]:
    purposes = PURPOSES[:-1] if place >= len(BRANDS) - _FEWER else PURPOSES
    for n, (purpose, names) in enumerate(purposes):
        network = MASTODON if n % 2 == 0 else BLUESKY
        code = (purpose,) if names else ()
        own = Planted(
            network, handle_of(network, brand.handle, *code), named(brand, names),
            f"{brand.trade}. {names.get(brand.language, '')}".strip(), brand.handle,
            chance.randrange(800, 40_000), chance.randrange(700, 3_500), chance.randrange(0, 27),
            brand.key, purpose, brand.language,
        )  # fmt: skip
        yield own
        if n == 4 and place < _DUPLICATES:
            again = handle_of(network, brand.handle, purpose, str(2020 + place % 4))
            yield replace(own, username=again, followers=own.followers // 7, same_as=own.username)


def _fates(chance: random.Random) -> Iterator[dict[str, Any]]:
    """What is different about those that are not simply in use."""
    for n in range(_DORMANT):
        yield {"posted": 91 if n < 2 else chance.randrange(92, 900), "sign": "dormant"}
    for n in range(_QUIET):
        yield {"posted": 88 if n < 2 else chance.randrange(31, 88), "sign": "quiet"}
    for n in range(_PAUSED):  # some of the silence was before the pause
        before = 10 if n % 2 else 40
        yield {
            "posted": before - PAUSE[0],
            "sign": "quiet" if before > 30 else "active",
            "is_paused": True,
        }
    for _ in range(_NEVER):  # since they came to us, which is now
        yield {"posted": None}
    for _ in range(_BROKEN):
        yield {"posted": 200, "sign": "unreadable", "fails": "500"}
    for n in range(_CLOSED):
        yield {"posted": 300, "sign": "unreadable", "state": _SHUT[n % len(_SHUT)]}


def _told(account: Planted, fate: dict[str, Any]) -> Planted:
    if account.network == MASTODON and fate.get("state") in _SHUT:
        fate = {**fate, "state": "suspended"}
    return replace(account, **fate)


def _at_the_seaside(account: Planted, place: int, chance: random.Random) -> Planted:
    """Silent all through its off-season; the first two were silent long before it began."""
    if place < 2:
        return replace(account, posted=300, sign="dormant")
    return replace(account, posted=chance.randrange(95, 149))

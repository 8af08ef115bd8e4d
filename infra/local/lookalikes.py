"""What stands around the large sample company on the local platform: copies of its channels, fans, namesakes.

The truth about each goes with it, as in planted.py. Names, trades and kinds were made without a look at what
a profile scores, and the brands occur nowhere in what the weights were chosen with.
"""

import random
from dataclasses import replace
from functools import cache
from itertools import cycle
from typing import Any

from infra.local.planted import (
    BLUESKY,
    BRANDS,
    MASTODON,
    PURPOSES,
    SEED,
    Brand,
    Planted,
    handle_of,
    named,
    ours,
)

LOOKALIKES = 114  # two of five of the Mastodon profiles that look like Zorza's; the others are Zorza's own
SHY = 2  # of them that no search for a name can find: neither name nor handle has one in it
STRANGERS_EACH = 5  # of a brand


@cache
def others() -> tuple[Planted, ...]:
    """The profiles around them: look-alikes, fans, and whoever has a name like theirs."""
    chance = random.Random(f"{SEED}, others")  # nosec B311 - no secret
    taken = {account.username for account in ours()}
    makers = cycle(_KINDS)
    found = [_shy(BRANDS[n], chance) for n in range(SHY)]
    brands = cycle(BRANDS)
    while len(found) < LOOKALIKES:
        made = next(makers)(next(brands), chance)
        if made.username not in taken:
            taken.add(made.username)
            found.append(made)
    found += [_stranger(b, place, n, chance) for place, b in enumerate(BRANDS) for n in range(STRANGERS_EACH)]
    return tuple(found)


# Somebody should be asked about these

_ADDED = {
    "pl": ("pomoc", "zwroty", "serwis24", "oficjalny"),
    "de": ("hilfe", "rabatt", "kundenservice", "offiziell"),
    "en": ("support", "refunds", "official", "helpline"),
    "fa": ("support", "official", "jayezeh", "iran"),
}
_LURES = {
    "pl": "Odbierz bon na 500 zł: napisz do nas na WhatsApp i podaj numer karty",
    "de": "Gewinnspiel! Gutschein über 300 Euro, schreib uns auf Telegram",
    "en": "You have won! Claim your voucher, message us on Telegram today",
    "fa": "برنده قرعه کشی شدید، برای دریافت جایزه در تلگرام پیام دهید",
}
_SWAPPED = {"m": "rn", "l": "1", "o": "0", "i": "1", "s": "5", "e": "3"}
_DRAWN = dict(zip("aeopcxyi", "аеорсхуі", strict=True)) | {"ا": "آ", "ی": "ي", "ک": "ك"}


def _fake(brand: Brand, chance: random.Random, handle: str, **changes: Any) -> Planted:
    made = Planted(
        MASTODON, handle, brand.name, "", "", chance.randrange(0, 60), chance.randrange(2, 110),
        chance.randrange(0, 9), what="impostor", is_wanted=True,
    )  # fmt: skip
    return replace(made, **changes)


def _copied(brand: Brand, chance: random.Random) -> str:
    return f"{brand.handle}~{chance.randrange(2, 9_999)}"


def _swapped(brand: Brand, chance: random.Random) -> Planted:
    """Another character in the handle, the name as it is."""
    return _fake(brand, chance, _one(chance, brand.handle, _SWAPPED))


def _misspelled_with_picture(brand: Brand, chance: random.Random) -> Planted:
    return _fake(brand, chance, _misspelled(chance, brand.handle), avatar=_copied(brand, chance))


def _added(brand: Brand, chance: random.Random) -> Planted:
    more = chance.choice(_ADDED[brand.language])
    handle = chance.choice((f"{brand.handle}_{more}", f"{more}_{brand.handle}", f"{brand.handle}.{more}"))
    return _fake(brand, chance, handle, avatar=_copied(brand, chance))


def _lure(brand: Brand, chance: random.Random) -> Planted:
    handle = f"{brand.handle}_{chance.choice(_ADDED[brand.language])}{chance.randrange(2, 99)}"
    return _fake(brand, chance, handle, note=_LURES[brand.language])


def _clone(brand: Brand, chance: random.Random) -> Planted:
    """A handle that says nothing, and all else taken."""
    return _fake(
        brand, chance, f"user{chance.randrange(10**6, 10**7)}", note=brand.trade,
        avatar=_copied(brand, chance),
    )  # fmt: skip


def _copy_of_a_channel(brand: Brand, chance: random.Random) -> Planted:
    purpose, names = chance.choice(PURPOSES[1:])
    handle = f"{_misspelled(chance, brand.handle)}_{purpose}"
    return _fake(brand, chance, handle, name=named(brand, names), avatar=_copied(brand, chance))


def _drawn(brand: Brand, chance: random.Random) -> Planted:
    """A name in other letters that look the same; the handle has the name in it."""
    more = chance.choice(_ADDED[brand.language])
    name = _one(chance, brand.name, _DRAWN)
    return _fake(
        brand, chance, f"{brand.handle}_{more}{chance.randrange(10)}", name=name,
        avatar=_copied(brand, chance),
    )  # fmt: skip


def _unlisted(brand: Brand, chance: random.Random) -> Planted:
    """What somebody of the district opened for a fair, and told nobody of."""
    handle = f"{brand.handle}_{chance.randrange(2015, 2025)}"
    return _fake(
        brand, chance, handle, name=f"{brand.name} {brand.district}", note=brand.trade,
        avatar=_copied(brand, chance), followers=chance.randrange(100, 700),
        opened=chance.randrange(400, 1_000), posted=chance.randrange(100, 400), what="unlisted",
    )  # fmt: skip


def _shy(brand: Brand, chance: random.Random) -> Planted:
    """Neither name nor handle has ours in it as a search compares them: only a person comes upon it."""
    name = _one(chance, brand.name, _DRAWN)
    handle = _misspelled(chance, brand.handle)
    return _fake(brand, chance, handle, name=name, avatar=_copied(brand, chance), what="hidden")


_KINDS = (
    _swapped, _misspelled_with_picture, _added, _lure, _clone, _copy_of_a_channel, _drawn, _unlisted,
)  # fmt: skip


# And about these nobody


_FANS = {
    "pl": ("zbiory", ("Nieoficjalny profil miłośników: stare katalogi i zdjęcia",
                      "Zbieram i naprawiam ich stare wyroby, pokazuję znaleziska z targów")),
    "de": ("sammler", ("Inoffizielle Sammlerseite: Flohmarktfunde und alte Prospekte",
                       "Ich sammle und repariere ihre alten Stücke, zeige Funde vom Markt")),
    "en": ("attic", ("Unofficial, run by fans: old catalogues and photographs",
                     "I collect and mend their old pieces, and show finds from the market")),
    "fa": ("ghadimi", ("صفحه غیررسمی هواداران: عکس و کاتالوگ قدیمی",
                       "وسایل قدیمی شان را جمع و تعمیر می کنم و یافته های بازار را نشان می دهم")),
}  # fmt: skip
_TRADES = {
    "pl": ("schola", "Chór parafialny, próby w czwartki, kolędy i pieśni wielkopostne"),
    "de": ("rudern", "Ruderverein mit Jugendgruppe, Regatten und Wanderfahrten auf dem See"),
    "en": ("bakery", "Sourdough, saffron buns and coffee, open from seven until sold out"),
    "fa": ("ketab", "کتابفروشی محله، نشست نقد رمان هر پنجشنبه و قصه برای بچه ها"),
}
_PEOPLE = {
    "pl": ("hubert", "Pszczelarz i saksofonista, tata trojga urwisów"),
    "de": ("frauke", "Lehrerin, Kanu, Krimis und viel zu viele Fahrräder"),
    "en": ("imogen", "Bell ringer, botanist, slow runner; views mine alone"),
    "fa": ("parvaneh", "مترجم، عاشق کوه و قهوه، مادر دو دختر"),
}


def _stranger(brand: Brand, place: int, n: int, chance: random.Random) -> Planted:
    """The `n`th of a brand: fans, half of whom say so, another trade of the name, a namesake, a passer-by."""
    network = MASTODON if n < 3 else BLUESKY
    fan, fans = _FANS[brand.language]
    trade, trades = _TRADES[brand.language]
    given, about = _PEOPLE[brand.language]
    first = brand.name.split()[0]
    half = place % 2
    what, parts, name, note = (
        ("fan", (brand.handle, fan), f"{brand.name} {fan}", fans[half]),
        ("another trade", (brand.handle, trade), (brand.name, f"{brand.name} {trade}")[half], trades),
        ("namesake", (given, brand.handle[:6]), f"{given.title()} {first}", about),
        ("fan", (fan, brand.handle), f"{brand.name} {fan}", fans[1 - half]),
        ("passer-by", (given, str(place)), given.title(), f"{about}. {brand.name}"),
    )[n]
    return Planted(
        network, handle_of(network, *parts), name, note, f"stranger {place} {n}", chance.randrange(80, 700),
        chance.randrange(300, 3_000), chance.randrange(0, 200), what=what,
    )  # fmt: skip


# Pieces


def _one(chance: random.Random, text: str, table: dict[str, str]) -> str:
    """The text with one of the table's characters replaced; doubled at its end where it has none of them."""
    places = [n for n, char in enumerate(text.casefold()) if char in table]
    if not places:
        return text + text[-1]
    place = chance.choice(places)
    return text[:place] + table[text[place].casefold()] + text[place + 1 :]


def _misspelled(chance: random.Random, text: str) -> str:
    place = chance.randrange(2, len(text) - 1)
    match chance.randrange(3):
        case 0:
            return text[:place] + text[place] + text[place:]
        case 1:
            return text[:place] + text[place + 1 :]
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]

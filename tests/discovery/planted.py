"""Companies with their channels, and what a search for them finds: copies, fans, namesakes, noise.

TUNING (kits.py) is what the weights were chosen with. HELD_OUT has names, trades, and some languages and
additions that occur nowhere in it; no weight, word or threshold was changed after a look at it.
"""

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageDraw

from chalicelib.discovery.pictures import fingerprint, fingerprints
from chalicelib.discovery.scoring import Face

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_DRAWN_ALIKE = dict(zip("aeopcxyiskl", "аеорсхуіѕкӏ", strict=True)) | {"ا": "آ", "ی": "ي", "ک": "ك"}
_SWAPS = {"m": "rn", "w": "vv", "l": "1", "o": "0", "i": "l", "e": "3", "s": "5"}


@dataclass(frozen=True)
class Firm:
    """`name`, its handle in Latin letters, its trade in its own words, and where its channels are."""

    name: str
    handle: str
    trade: str
    places: tuple[tuple[str, str], ...]  # each as it is written and in a handle
    site: str = ""


@dataclass(frozen=True)
class Kit:
    """What profiles around a firm are made of."""

    firms: tuple[Firm, ...]
    added: tuple[str, ...]
    fans: tuple[tuple[str, str], ...]  # handle's ending and description
    people: tuple[tuple[str, str], ...]  # given name and description
    strangers: tuple[tuple[str, str], ...]  # what follows the name elsewhere, and a description
    lures: tuple[str, ...]


@dataclass(frozen=True)
class Planted:
    """A profile with the truth: whether a person should be asked about it, and what it is."""

    what: str
    is_wanted: bool
    face: Face


@dataclass(frozen=True)
class Town:
    """A firm's own channels, its site, and what a search finds around it."""

    firm: Firm
    ours: tuple[Face, ...]
    found: tuple[Planted, ...]


@dataclass
class Maker:
    kit: Kit
    firm: Firm
    random: random.Random
    logo: Image.Image = field(init=False)
    ours: tuple[Face, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.logo = _drawing(self.random)
        mark = (fingerprint(_bytes(self.logo, "PNG")),)
        opened = NOW - timedelta(days=self.random.randrange(700, 4000))
        followers = self.random.randrange(900, 60_000)
        main = Face(self.firm.handle, self.firm.name, self.firm.trade, mark, (), followers, opened)
        local = [
            replace(
                main,
                handle=f"{self.firm.handle}_{latin}",
                name=f"{self.firm.name} {place}",
                followers=followers // 9,
            )
            for place, latin in self.firm.places[:-1]
        ]
        self.ours = (main, *local)

    def found(self) -> tuple[Planted, ...]:
        wanted = [Planted(make.__name__, True, self._seen(make())) for make in self._wanted()]
        others = [Planted(make.__name__, False, self._seen(make())) for make in self._others()]
        return (*wanted, *others)

    # Somebody should be asked about these

    def _wanted(self) -> list[Callable[[], Face]]:
        return [
            self.drawn_alike, self.swapped, self.misspelled_with_logo, self.misspelled_with_words, self.added,
            self.added_and_new, self.clone, self.logo_with_lure, self.squatted, self.listed_nowhere,
            self.forgotten, self.words_copied, self.added_twice,
        ]  # fmt: skip

    def drawn_alike(self) -> Face:
        return self._new(
            _one(self.random, self.firm.handle, _DRAWN_ALIKE), _one(self.random, self.firm.name, _DRAWN_ALIKE)
        )

    def swapped(self) -> Face:
        return self._new(_one(self.random, self.firm.handle, _SWAPS), self.firm.name)

    def misspelled_with_logo(self) -> Face:
        return self._new(_misspelled(self.random, self.firm.handle), self.firm.name, avatars=self._copied())

    def misspelled_with_words(self) -> Face:
        words = self.firm.trade + " " + self.random.choice(self.kit.lures)
        return self._new(_misspelled(self.random, self.firm.handle), self.firm.name, words)

    def added(self) -> Face:
        return self._new(f"{self.firm.handle}_{self._more()}", self.firm.name, avatars=self._copied())

    def added_and_new(self) -> Face:
        more = self._more()
        name = f"{self.firm.name} {more.title()}"
        return self._new(f"{more}{self.firm.handle}", name, self.random.choice(self.kit.lures), opened=9)

    def added_twice(self) -> Face:
        handle = f"{self._more()}.{self.firm.handle}{self.random.randrange(10, 99)}"
        return self._new(handle, f"{self.firm.name}™", avatars=self._copied())

    def clone(self) -> Face:
        words = " ".join(self.firm.trade.split()[:9])
        return self._new(f"user{self.random.randrange(10**7)}", self.firm.name, words, self._copied())

    def logo_with_lure(self) -> Face:
        handle = f"{self._more()}_{self.random.randrange(1000)}"
        return self._new(handle, self._more().title(), self.random.choice(self.kit.lures), self._copied(), 20)

    def squatted(self) -> Face:
        return self._new(self.firm.handle, self.firm.handle, followers=2)

    def listed_nowhere(self) -> Face:
        place, latin = self.firm.places[-1]
        return self._new(
            f"{self.firm.handle}_{latin}", f"{self.firm.name} {place}", f"{self.firm.trade} {self.firm.site}",
            self._copied(), 900, 400,
        )  # fmt: skip

    def forgotten(self) -> Face:
        words = f"{self.firm.name} {self.random.randrange(2014, 2020)}. {self.firm.site}"
        return self._new(f"{self.firm.handle}.{self._more()}", self.firm.name, words, (), 2500, 40)

    def words_copied(self) -> Face:
        return self._new(f"the{self.firm.handle}", f"{self.firm.name}!", self.firm.trade, self._strange())

    # And about these nobody

    def _others(self) -> list[Callable[[], Face]]:
        return [
            self.fan, self.fan_who_says_so, self.person, self.namesake, self.colleague, self.other_trade,
            self.other_trade_larger, self.nearly_named, self.passer_by, self.passer_by, self.neighbour,
            self.critic, self.only_a_word, self.person, self.passer_by,
        ]  # fmt: skip

    def fan(self) -> Face:
        ending, words = self.random.choice(self.kit.fans)
        return self._old(f"{self.firm.handle}_{ending}", f"{self.firm.name} {ending}", words)

    def fan_who_says_so(self) -> Face:
        ending, words = self.random.choice(self.kit.fans)
        return self._old(
            f"{ending}{self.firm.handle}", f"{ending} {self.firm.name}", f"{words} {self.firm.site}"
        )

    def person(self) -> Face:
        given, words = self.random.choice(self.kit.people)
        return self._old(
            f"{given}.{self.firm.handle}{self.random.choice(['', '87', '_x'])}",
            f"{given.title()} {self.firm.name}",
            words,
        )

    def namesake(self) -> Face:
        given, words = self.random.choice(self.kit.people)
        short = self.firm.name.split()[0]
        return self._old(f"{given}_{_latin(self.firm)}", f"{short} {given.title()}", words)

    def colleague(self) -> Face:
        given, words = self.random.choice(self.kit.people)
        return self._old(
            given + str(self.random.randrange(99)),
            f"{given.title()} | {self.firm.name}",
            f"{words} {self.firm.site}",
        )

    def other_trade(self) -> Face:
        more, words = self.random.choice(self.kit.strangers)
        return self._old(f"{self.firm.handle}{more}", f"{self.firm.name} {more.title()}", words)

    def other_trade_larger(self) -> Face:
        more, words = self.random.choice(self.kit.strangers)
        return self._old(f"{self.firm.handle}{more}", self.firm.name, words, 90_000)

    def nearly_named(self) -> Face:
        near = _misspelled(self.random, self.firm.handle)
        _, words = self.random.choice(self.kit.strangers)
        return self._old(near, near.title(), words)

    def passer_by(self) -> Face:
        given, words = self.random.choice(self.kit.people)
        return self._old(f"{given}{self.random.randrange(10**4)}", given.title(), f"{words} {self.firm.name}")

    def neighbour(self) -> Face:
        place, latin = self.firm.places[0]
        more, words = self.random.choice(self.kit.strangers)
        return self._old(f"{latin}_{more}", f"{place} {more.title()}", words)

    def critic(self) -> Face:
        given, words = self.random.choice(self.kit.people)
        return self._old(f"stop{given}", f"{given.title()} vs {self.firm.name}", words)

    def only_a_word(self) -> Face:
        more, words = self.random.choice(self.kit.strangers)
        return self._old(f"{self.firm.handle[:3]}{more}", f"{self.firm.name.split()[0][:3]} {more}", words)

    # Pieces

    def _new(
        self,
        handle: str,
        name: str,
        words: str = "",
        avatars: tuple[int, ...] = (),
        opened: int = 60,
        followers: int = 15,
    ) -> Face:
        at = NOW - timedelta(days=self.random.randrange(1, opened + 1))
        return Face(handle, name, words, avatars, (), followers, at)

    def _old(self, handle: str, name: str, words: str, followers: int = 400) -> Face:
        at = NOW - timedelta(days=self.random.randrange(150, 4500))
        return Face(
            handle, name, words, self._strange(), (), self.random.randrange(followers // 2, followers), at
        )

    def _seen(self, face: Face) -> Face:
        """What a network tells: some say nothing of when a profile was made, or of its followers."""
        silent = self.random.random()
        if silent < 0.25:
            return replace(face, opened_at=None)
        return replace(face, followers=None) if silent < 0.4 else face

    def _more(self) -> str:
        return self.random.choice(self.kit.added)

    def _copied(self) -> tuple[int, ...]:
        return fingerprints(_spoilt(self.random, self.logo))

    def _strange(self) -> tuple[int, ...]:
        strangers = _strangers()
        return self.random.choice(strangers) if self.random.random() < 0.8 else ()


def towns(kit: Kit, seed: int) -> Iterator[Town]:
    """Every firm of the kit with what is found around it; the same for the same seed."""
    for number, firm in enumerate(kit.firms):
        maker = Maker(kit, firm, random.Random(f"{seed} {number}"))
        yield Town(firm, maker.ours, maker.found())


def _latin(firm: Firm) -> str:
    return firm.handle[: max(4, len(firm.handle) // 2)]


def _one(chance: random.Random, text: str, table: dict[str, str]) -> str:
    """The text with one of the table's letters, or two, replaced; in capitals, if it has none of them."""
    places = [n for n, c in enumerate(text.casefold()) if c in table]
    if not places or len(text.casefold()) != len(text):
        return text.upper()
    chosen = chance.sample(places, min(len(places), chance.choice([1, 1, 2])))
    return "".join(table[c.casefold()] if n in chosen else c for n, c in enumerate(text))


def _misspelled(chance: random.Random, text: str) -> str:
    place = chance.randrange(1, len(text) - 1)
    match chance.randrange(4):
        case 0:
            return text[:place] + text[place] + text[place:]
        case 1:
            return text[:place] + text[place + 1 :]
        case 2:
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + chance.choice("aeoukrt") + text[place + 1 :]


def _drawing(chance: random.Random) -> Image.Image:
    """Something like a logo: a few figures on white or on a colour."""

    def colour() -> tuple[int, ...]:
        return tuple(chance.randrange(256) for _ in range(3))

    made = Image.new("RGB", (400, 400), chance.choice([(255, 255, 255), colour(), colour()]))
    pen = ImageDraw.Draw(made)
    for _ in range(chance.randrange(2, 6)):
        x, y = chance.randrange(40, 280), chance.randrange(40, 280)
        box = (x, y, x + chance.randrange(50, 220), y + chance.randrange(50, 220))
        corners = [(chance.randrange(400), chance.randrange(400)) for _ in range(3)]
        match chance.randrange(4):
            case 0:
                pen.ellipse(box, fill=colour())
            case 1:
                pen.rectangle(box, fill=colour())
            case 2:
                pen.polygon(corners, fill=colour())
            case 3:
                pen.line(corners, fill=colour(), width=chance.randrange(8, 50))
    return made


def _spoilt(chance: random.Random, logo: Image.Image) -> bytes:
    """A copy as somebody would make it: cut at the edges, scaled, and saved badly."""
    side = int(400 * chance.choice([1, 1, 0.95, 0.9, 0.85]))
    edge = max(0, (400 - side) // 2 + chance.randrange(-6, 7))
    size = chance.choice([96, 128, 200, 400])
    copy = logo.crop((edge, edge, edge + side, edge + side)).resize((size, size))
    return _bytes(copy, "JPEG", chance.choice([35, 55, 75, 90]))


def _bytes(picture: Image.Image, kind: str, quality: int = 90) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, quality=quality)
    return stream.getvalue()


_STRANGERS: list[tuple[int, ...]] = []


def _strangers() -> list[tuple[int, ...]]:
    if not _STRANGERS:
        chance = random.Random("strangers")
        _STRANGERS.extend(fingerprints(_bytes(_drawing(chance), "PNG")) for _ in range(40))
    return _STRANGERS

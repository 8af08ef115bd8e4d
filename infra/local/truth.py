"""How what Signalbox found in the large sample company compares with what was planted there."""

from collections.abc import Set
from dataclasses import dataclass

from infra.local.api import Api
from infra.local.large import every
from infra.local.lookalikes import others
from infra.local.planted import duplicates, ours


@dataclass(frozen=True)
class Outcome:
    """What was found, and what should have been, by names."""

    found: frozenset[str]
    wanted: frozenset[str]

    @property
    def right(self) -> frozenset[str]:
        return self.found & self.wanted

    @property
    def precision(self) -> float:
        """The share of what was found that should have been; 1 where nothing was."""
        return len(self.right) / len(self.found) if self.found else 1.0

    @property
    def recall(self) -> float:
        return len(self.right) / len(self.wanted)

    @property
    def wrong(self) -> list[str]:
        """What was found and should not have been, and what was not."""
        return [*(f"{name} for nothing" for name in sorted(self.found - self.wanted)),
                *(f"not {name}" for name in sorted(self.wanted - self.found))]  # fmt: skip


def with_sign(api: Api, sign: str, besides: Set[str] = frozenset()) -> Outcome:
    """The accounts that a daily check found `sign` (dormant, quiet, unreadable); `besides` should be, too."""
    handles = {a["account_id"]: a["handle"] for a in every(api, "/v1/register", "accounts")}
    listed = every(api, "/v1/dormancy/accounts", "accounts", sign=sign)
    wanted = besides | {account.username for account in ours() if account.sign == sign}
    return Outcome(frozenset(handles[row["account_id"]] for row in listed), frozenset(wanted))


def lookalikes(api: Api) -> Outcome:
    """The profiles that a weekly scan wants somebody to look at."""
    listed = every(api, "/v1/discovery/candidates", "candidates")
    wanted = frozenset(profile.username for profile in others() if profile.is_wanted)
    return Outcome(frozenset(candidate["handle"] for candidate in listed), wanted)


def pairs(api: Api) -> Outcome:
    """The pairs of our own that are proposed to be merged, whichever of the two is to stay."""
    listed = every(api, "/v1/discovery/duplicates", "duplicates")
    found = (sorted((pair["keep"], pair["other"])) for pair in listed)
    return Outcome(
        frozenset(" and ".join(pair) for pair in found),
        frozenset(" and ".join(sorted(pair)) for pair in duplicates()),
    )

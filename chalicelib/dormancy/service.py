"""What there is to know of silent accounts, for whoever may know it."""

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.dormancy.model import Review, Sign, Stage, Step
from chalicelib.dormancy.reviews import Reviews
from chalicelib.dormancy.store import Pauses, Store, Watch
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org


class Dormancy:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts, reviews: Reviews) -> None:
        self._org = org
        self._accounts = accounts
        self._reviews = reviews
        self._store = Store(kernel.database)

    def silent(self, actor: Actor, sign: Sign, limit: int, after: str = "") -> tuple[list[Watch], str | None]:
        """A page of the accounts with a sign that the actor may know of, and where the next starts."""
        found, start = self._store.watches(sign, limit, after)
        return [watch for watch in found if self._may(actor, watch.unit_id, watch.account_id)], start

    def reviews(
        self, actor: Actor, stage: Stage, limit: int, after: str = ""
    ) -> tuple[list[Review], str | None]:
        """A page of the reviews at a stage that the actor may know of, and where the next starts."""
        found, start = self._store.reviews(stage, limit, after)
        return [review for review in found if self._may(actor, review.unit_id, review.account_id)], start

    def review(self, actor: Actor, account_id: str) -> Review:
        """The latest review of an account. Raises NotFound, NotAllowed."""
        self._accounts.recorded(actor, account_id)
        return self._reviews.current(account_id)

    def pauses(self, actor: Actor, account_id: str) -> Pauses:
        """An account's planned pauses. Raises NotFound, NotAllowed."""
        self._accounts.recorded(actor, account_id)
        return self._store.pauses(account_id)

    def prove(self, actor: Actor, account_id: str, step: str, proof: str) -> Review:
        """As `Reviews.prove`, of a step by its name. Raises NotFound for one that there is not."""
        if step not in set(Step):
            raise NotFound(f"there is no step {step}; there are {', '.join(Step)}")
        return self._reviews.prove(actor, account_id, Step(step), proof)

    def _may(self, actor: Actor, unit_id: str, account_id: str) -> bool:
        return actor.may(Right.REGISTER_READ, self._org.unit(unit_id).path, account_id)

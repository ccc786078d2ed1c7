"""Account: an organisation, through the people who belong to it. Source: the contract, 6."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from services.projector.domain.collective.concentration import Holding, concentration
from services.projector.domain.collective.stake import Stake, each_once, of_people, without_side
from services.projector.domain.collective.sums import Sums, sums
from services.projector.domain.measures.view import Side
from services.runtime.policy import Policy


@dataclass(frozen=True, slots=True)
class Account:
    """The relationships of our people with an organisation's on a day.

    Holdings stand by buffer, the largest first. `threads` are those who hold more than the
    policy's share of the account, the largest share first (equal: ours, then by id): the first
    one is who holds it. `without_side` are affiliated people, or people they are in touch with,
    whose relationships are left out since nobody described them.
    """

    stakes: tuple[Stake, ...]
    sums: Sums
    by_internal: tuple[Holding, ...]
    by_external: tuple[Holding, ...]
    threads: tuple[Holding, ...]
    without_side: tuple[str, ...]

    @property
    def single_threaded(self) -> bool:
        """Whether one of our people or one of theirs holds more than the policy's share."""
        return bool(self.threads)

    @property
    def single_thread(self) -> str | None:
        """Who holds it."""
        return self.threads[0].person if self.threads else None


def account(stakes: Iterable[Stake], affiliated: Collection[str], policy: Policy) -> Account:
    """An organisation, given the canonical ids of who is affiliated with it that day.

    The sum over pairs of an affiliated external person and one of ours; others may be among the
    stakes. The share people see, the rounded one, is held against the policy's.
    """
    near = of_people(each_once(stakes), affiliated)
    chosen = [stake for stake in near if _is_ours(stake, affiliated)]
    by_internal = concentration(chosen, Side.INTERNAL)
    by_external = concentration(chosen, Side.EXTERNAL)
    return Account(
        stakes=tuple(chosen),
        sums=sums(chosen, policy),
        by_internal=by_internal,
        by_external=by_external,
        threads=threads(by_internal, by_external, policy),
        without_side=without_side(near),
    )


def threads(
    by_internal: Sequence[Holding], by_external: Sequence[Holding], policy: Policy
) -> tuple[Holding, ...]:
    """Who holds more than the policy's share, the largest share first (equal: ours, then by id).

    The one meaning of single-threaded, for accounts and attention: the rounded share, of the
    rounded buffers above 0, that people see.
    """
    bound = policy.measures.account.single_threaded_share
    found = [
        (-share, order, holding.person, holding)
        for order, holdings in enumerate((by_internal, by_external))
        for holding in holdings
        if (share := holding.share_per_mille) is not None and share > bound
    ]
    return tuple(each[-1] for each in sorted(found, key=lambda each: each[:3]))


def _is_ours(stake: Stake, affiliated: Collection[str]) -> bool:
    external, internal = stake.of_side(Side.EXTERNAL), stake.of_side(Side.INTERNAL)
    return len(internal) == 1 and len(external) == 1 and external[0] in affiliated

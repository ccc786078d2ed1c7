"""What a person is shown: as much as a day can hold, without what they put off."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from services.projector.domain.attention.day import most_at_stake_first
from services.projector.domain.attention.items import Item
from services.projector.domain.calendar import day_of
from services.runtime.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What somebody made of an item: SNOOZED until a day, or (None) NOT_RELEVANT.

    `instant_us` is the occurred_at of the AttentionAnswered. Answers are effective ones, of people
    who may answer for whom the item is for: who may is the caller's business.
    """

    event_id: str
    position: int
    instant_us: int
    item: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A person's day: the items shown, most at stake first, and what is not shown.

    `left_out` are beyond the ration, in the same order; `asleep` are snoozed (with the day they
    wake on), `dismissed` not relevant.
    """

    person: str
    items: tuple[Item, ...]
    left_out: tuple[Item, ...]
    asleep: tuple[tuple[Item, int], ...]
    dismissed: tuple[Item, ...]


def ration(
    items: Iterable[Item], answers: Iterable[Answer], policy: Policy, on: int
) -> dict[str, Shown]:
    """What each person is shown of the open items of a day, by person.

    An answer holds from its day on; of several the highest (occurred_at, position) does. A snoozed
    item is shown again on its day; one that is not relevant is not shown while its cause lasts.
    """
    by_person: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_person[item.person].append(item)
    in_force = _in_force(answers, on)
    limit = policy.attention.per_person_per_day
    return {
        person: _shown(person, most_at_stake_first(held), in_force, limit, on)
        for person, held in sorted(by_person.items())
    }


def _shown(
    person: str, items: tuple[Item, ...], answers: dict[str, Answer], limit: int, on: int
) -> Shown:
    awake: list[Item] = []
    asleep: list[tuple[Item, int]] = []
    dismissed: list[Item] = []
    for item in items:
        answer = answers.get(item.item)
        if answer is None or (answer.until is not None and answer.until <= on):
            awake.append(item)
        elif answer.until is None:
            dismissed.append(item)
        else:
            asleep.append((item, answer.until))
    return Shown(
        person, tuple(awake[:limit]), tuple(awake[limit:]), tuple(asleep), tuple(dismissed)
    )


def _in_force(answers: Iterable[Answer], on: int) -> dict[str, Answer]:
    given = [answer for answer in answers if day_of(answer.instant_us) <= on]
    given.sort(key=lambda answer: (answer.instant_us, answer.position))
    return {answer.item: answer for answer in given}

"""What counts as contact."""

from services.projector.domain.contact import contact_days, mode_of
from services.runtime.policy import Audience, Initiative, default_policy
from tests.unit.domain.people import touch

POLICY = default_policy()
CALL = touch(1, "call", "2026-01-01T23:59:59")


def test_neither_machines_nor_broadcasts_nor_structural_kinds_are_contact() -> None:
    at = "2026-01-01T10:00:00"
    touchpoints = [
        touch(1, "greeting.written", at, initiative=Initiative.AUTOMATED),
        touch(2, "email.bulk", at),
        touch(3, "call", at, audience=Audience.MANY),
        touch(4, "transaction", at),
    ]

    assert contact_days(touchpoints, POLICY) == ()


def test_an_email_run_by_a_person_is_contact() -> None:
    mail = touch(2, "email.bulk", "2026-01-01T10:00:00", initiative=Initiative.PROACTIVE)

    assert contact_days([mail], POLICY) == (mail.day,)


def test_incidents_asks_and_kinds_the_policy_does_not_have_are_contact() -> None:
    touchpoints = [
        touch(1, "incident", "2026-01-01T10:00:00", severity=1),
        touch(2, "ask", "2026-01-02T10:00:00"),
        touch(3, "unheard.of", "2026-01-03T10:00:00"),
    ]

    assert contact_days(touchpoints, POLICY) == tuple(CALL.day + n for n in (0, 1, 2))


def test_a_day_with_several_contacts_is_one_contact_day() -> None:
    again = touch(2, "call", "2026-01-01T00:00:00")
    later = touch(3, "call", "2026-02-01T00:00:00")

    assert contact_days([later, CALL, again], POLICY, CALL.day + 10) == (CALL.day,)


def test_the_initiative_is_the_kinds_unless_told() -> None:
    at = "2026-01-01T10:00:00"

    assert mode_of(CALL, POLICY) is Initiative.PROACTIVE
    assert mode_of(touch(1, "email.one_to_one", at), POLICY) is Initiative.RESPONSIVE
    assert mode_of(touch(1, "incident", at), POLICY) is Initiative.REACTIVE
    assert mode_of(touch(1, "unheard.of", at), POLICY) is Initiative.PROACTIVE
    told = touch(1, "email.bulk", at, initiative=Initiative.RESPONSIVE)
    assert mode_of(told, POLICY) is Initiative.RESPONSIVE

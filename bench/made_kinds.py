"""What the made touchpoints say, by how often: templates, made once."""

from typing import Final

from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.events.v1.touchpoint_pb2 import Minutes, Touchpoint

type Weighted = tuple[Touchpoint, ...]

OCCASION: Final = Touchpoint(
    kind="event.attended_together", mutual=True, audience=touch.AUDIENCE_FEW
)

# What is done about an incident, and how many hours after it.
STEPS: Final = (
    (touch.RECOVERY_STEP_APOLOGY, 2),
    (touch.RECOVERY_STEP_FIX, 20),
    (touch.RECOVERY_STEP_FOLLOW_UP, 200),
)


def templates() -> Weighted:
    """Touchpoints without people, as often as they happen in a hundred."""
    out, answer = touch.INITIATIVE_PROACTIVE, touch.INITIATIVE_RESPONSIVE
    often = (
        (28, Touchpoint(kind="email.one_to_one", channel="email", initiative=answer)),
        (8, Touchpoint(kind="email.bulk", channel="email", audience=touch.AUDIENCE_MANY)),
        (10, Touchpoint(kind="message.personal", channel="linkedin", initiative=out)),
        (8, Touchpoint(kind="social.like", channel="linkedin")),
        (5, Touchpoint(kind="social.comment", channel="x", sentiment=1)),
        (10, Touchpoint(kind="call", channel="phone", minutes=Minutes(prep=5, live=25))),
        (8, Touchpoint(kind="meeting.video", mutual=True, minutes=Minutes(prep=10, live=45))),
        (
            5,
            Touchpoint(
                kind="meeting.in_person",
                mutual=True,
                depth=1,
                sentiment=1,
                minutes=Minutes(prep=30, live=90, follow_up=15),
            ),
        ),
        (2, Touchpoint(kind="meal_or_social", mutual=True, depth=2, minutes=Minutes(live=120))),
        (4, Touchpoint(kind="checkin.proactive", channel="phone", initiative=out)),
        (3, Touchpoint(kind="insight.tailored", channel="email")),
        (3, Touchpoint(kind="proposal", channel="email")),
        (2, Touchpoint(kind="thanks.given")),
        (2, Touchpoint(kind="need.stated", channel="email")),
        (1, Touchpoint(kind="ask", channel="email")),
        (1, Touchpoint(kind="channel.accepted", channel="linkedin")),
    )
    return tuple(template for count, template in often for _ in range(count))

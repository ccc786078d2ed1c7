"""What commands print for people, from answers made by hand."""

from io import StringIO

from rapport.cli.output import counted
from rapport.cli.portfolio_commands import portfolio_view
from rapport.v1 import portfolio_service_pb2 as portfolios
from rapport.v1 import relationship_service_pb2 as wire
from rich.console import Console, RenderableType


def said(view: RenderableType) -> list[str]:
    """The lines of a page, as nobody watches it: plain, and wide."""
    out = StringIO()
    Console(file=out, width=200, highlight=False).print(view)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_one_thing_is_no_plural() -> None:
    assert [counted(number, "day") for number in (0, 1, 2, 1200)] == [
        "0 days",
        "1 day",
        "2 days",
        "1,200 days",
    ]
    assert counted(2, "party", "parties") == "2 parties"


def test_a_persons_portfolio_says_the_time_given_and_received() -> None:
    effort = portfolios.PersonEffort(
        given=wire.Effort(prep=30, live=75, follow_up=15),
        received=wire.Effort(live=65),
        window_days=90,
        touchpoints=5,
        with_minutes=4,
    )

    page = said(portfolio_view(portfolios.GetPortfolioResponse(effort=effort)))

    assert "minutes in 90 days to prepare together to follow up" in page
    assert "given 30 75 15" in page
    assert "received 0 65 0" in page
    assert "4 of 5 touchpoints say minutes" in page


def test_a_teams_portfolio_has_no_persons_time() -> None:
    page = said(portfolio_view(portfolios.GetPortfolioResponse()))

    assert not [line for line in page if "minutes" in line]

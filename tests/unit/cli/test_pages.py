"""What commands print for people, from answers made by hand."""

from io import StringIO

from rapport.cli.attention_commands import attention_view
from rapport.cli.forecast_commands import forecast_view
from rapport.cli.output import counted
from rapport.cli.people_commands import watch_list_view
from rapport.cli.portfolio_commands import portfolio_view
from rapport.cli.relationship_commands import measures_table
from rapport.cli.timeline_commands import timeline_view
from rapport.events.v1 import common_pb2, touchpoint_pb2
from rapport.v1 import attention_service_pb2 as attention
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import people_service_pb2 as people
from rapport.v1 import portfolio_service_pb2 as portfolios
from rapport.v1 import relationship_service_pb2 as wire
from rapport.v1 import timeline_service_pb2 as timelines
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


def attending() -> attention.ListAttentionResponse:
    item = attention.AttentionItem(
        item="overdue-1", rule="overdue", person="people/me", about="relationships/bob~me", why="w"
    )
    return attention.ListAttentionResponse(
        items=[item],
        left_out=3,
        left_out_by_rule={"problem_only": 2, "know_only": 1},
        left_out_in_debt=2,
    )


def test_what_the_ration_left_out_is_told_by_rule_and_debts_by_name() -> None:
    assert said(attention_view(attending()))[-1] == (
        "3 more did not fit into the day (2 problem only, 1 know only, 2 of them in debt): "
        "--all shows them"
    )


def test_a_watch_list_shows_its_attention_first() -> None:
    answer = people.GetWatchListResponse(list=people.WatchList(list="top", parties=["people/bob"]))

    page = said(watch_list_view(answer, attending()))

    assert page[0] == "top 1 party"
    assert page[2].startswith("overdue bob w")


def test_promises_nobody_made_are_no_half_of_reliability() -> None:
    def bar(**counts: int) -> list[str]:
        bar = wire.TrustBar(name="reliability", value=500, counts=counts)
        balance = capital.Balance(relationship="relationships/ann~bob")
        return said(measures_table(wire.Relationship(balance=balance, trust=[bar])))

    assert "trust: reliability – no promises yet" in bar(kept=0, broken=0)
    assert "trust: reliability 50.0 % broken 1, kept 1" in bar(kept=1, broken=1)


def forecast(day: int = 1, short_by_mp: int = 0, *, beyond_horizon: bool = False) -> wire.Forecast:
    return wire.Forecast(
        relationship="relationships/a~b",
        survives_through=common_pb2.Date(year=2026, month=6, day=day),
        short_by_mp=short_by_mp,
        beyond_horizon=beyond_horizon,
    )


def test_a_plan_that_changes_nothing_is_told_why() -> None:
    def told(plain: wire.Forecast, planned: wire.Forecast) -> str:
        answer = wire.ForecastRelationshipResponse(forecast=planned, without_plan=plain)
        return " ".join(said(forecast_view(answer, 2)))

    assert "comes after 2026-06-01, when it is too late" in told(forecast(), forecast())
    assert "today is short already" in told(forecast(short_by_mp=1), forecast(short_by_mp=1))
    far = forecast(beyond_horizon=True)
    assert "as far as one looks" in told(far, far)
    assert "The plan" not in told(forecast(), forecast(day=2))


def test_a_folded_line_says_how_many_it_stands_for() -> None:
    line = timelines.TimelineLine(
        event_id="e1",
        touchpoint=touchpoint_pb2.Touchpoint(initiator="people/a", counterpart="people/b"),
        folded_relationships=["relationships/a~c", "relationships/a~d"],
    )

    assert "+2 others of the meeting e1" in said(timeline_view([line]))[1]

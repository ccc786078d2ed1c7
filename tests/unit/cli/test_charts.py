"""Charts: what is asked, and that what is drawn can be looked at."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from matplotlib.figure import Figure
from rapport.cli.app import build
from rapport.cli.charts import fetching
from rapport.cli.charts.balance import draw_balance
from rapport.cli.charts.data import (
    BalanceChart,
    Bar,
    Mark,
    Moment,
    Point,
    PortfolioChart,
    RecoveryChart,
    Survival,
)
from rapport.cli.charts.portfolio import draw_portfolio
from rapport.cli.charts.recovery import draw_recovery
from rapport.cli.charts.style import look, save
from rapport.cli.command import Call
from rapport.client import Rapport
from rapport.events.v1 import touchpoint_pb2 as touch
from rapport.retry import RetryPolicy
from rapport.times import timestamp, wire_date
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import portfolio_service_pb2 as portfolios
from rapport.v1 import relationship_service_pb2 as relationships
from rapport.v1 import timeline_service_pb2 as timelines
from typer.testing import CliRunner

TODAY = date(2026, 3, 1)
BEGIN = TODAY - timedelta(days=30)


def points() -> tuple[Point, ...]:
    return tuple(
        Point(BEGIN + timedelta(days=n), 9_000 - 100 * n, -5_000 + 300 * n, -3_000 + 290 * n)
        for n in range(60)
    )


BALANCE = BalanceChart(
    a="Ann $x$ Müller",
    b="Bob",
    today=TODAY,
    points=points(),
    incidents=(Mark(BEGIN, 2, False), Mark(TODAY, 4, True)),
    touched_on=(BEGIN, TODAY),
    survival=Survival(2, 10_000, TODAY + timedelta(days=20), False),
    note="default@1",
)
RECOVERY = RecoveryChart(
    a="Ann",
    b="Bob",
    today=TODAY,
    severity=2,
    about=", ours",
    moments=(
        Moment(BEGIN, "before", 9_000),
        Moment(BEGIN + timedelta(days=1), "incident", -4_000),
        Moment(BEGIN + timedelta(days=2), "APOLOGY", 1_000),
        Moment(BEGIN + timedelta(days=2), "FOLLOW_UP", 1_000),
    ),
    daily=tuple((point.on, point.buffer_mp) for point in points()),
    is_open=True,
)
PORTFOLIO = PortfolioChart(
    owner="teams/sales",
    on=TODAY,
    know_mp=1,
    care_mp=-5,
    buffer_mp=10**9,
    relationships=12,
    quadrants={"NEITHER": 3, "BOTH": 9},
    external=tuple(Bar(f"P{n}" * 20, 1_000 * n, n) for n in range(12)),
    at_risk=(Bar("Ann", 0),),
    strongest=(Bar("a ~ b", 5_000), Bar("a ~ c", 1)),
    weakest=(Bar("a ~ d", -9_000), Bar("a ~ c", 1)),
)
CHARTS: list[tuple[str, Callable[[], Figure]]] = [
    ("balance", lambda: draw_balance(BALANCE)),
    ("balance of nothing", lambda: draw_balance(BalanceChart("a", "b", TODAY, ()))),
    (
        "balance that does not survive",
        lambda: draw_balance(
            dataclasses.replace(BALANCE, survival=Survival(4, 80_000, None, False))
        ),
    ),
    ("recovery", lambda: draw_recovery(RECOVERY)),
    (
        "recovery of nothing",
        lambda: draw_recovery(dataclasses.replace(RECOVERY, moments=(), daily=())),
    ),
    ("portfolio", lambda: draw_portfolio(PORTFOLIO)),
    (
        "portfolio of nothing",
        lambda: draw_portfolio(PortfolioChart("x", TODAY, 0, 0, 0, 0, {})),
    ),
]


@pytest.mark.parametrize("draw", [draw for _, draw in CHARTS], ids=[name for name, _ in CHARTS])
def test_every_chart_is_a_picture_and_the_same_twice(
    draw: Callable[[], Figure], tmp_path: Path
) -> None:
    for name in ("one.png", "two.png"):
        with look():
            save(draw(), tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.png", "two.png"))
    assert one == two
    assert one.startswith(b"\x89PNG")
    width, height = (int.from_bytes(one[at : at + 4]) for at in (16, 20))
    assert width == 1650
    assert height in {930, 1290}
    assert len(one) > 15_000


def test_a_chart_says_its_units_its_lines_and_what_it_was_computed_with() -> None:
    with look():
        figure = draw_balance(BALANCE)
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "KNOW",
        "CARE",
        "buffer",
        "without further contact",
        "a severity 2 of ours takes",
        "incident, severity (hollow: open)",
        "touchpoint",
    ]
    assert axes.get_ylabel() == "points"
    words = [text.get_text() for text in figure.texts]
    assert words[0] == "Ann $x$ Müller  ~  Bob"
    assert "survives a severity 2 until 2026-03-21" in words[1]
    assert words[2] == "default@1"


def test_a_picture_can_be_svg(tmp_path: Path) -> None:
    with look():
        save(draw_recovery(RECOVERY), tmp_path / "r.svg")
    text = (tmp_path / "r.svg").read_text()
    assert text.startswith("<?xml")
    assert "<dc:date>" not in text


def test_days_are_asked_evenly_and_around_every_turn() -> None:
    turn = date(2025, 6, 15)
    days = fetching.days_to_ask(
        date(2025, 1, 1), TODAY, TODAY + timedelta(days=180), {turn, date(2020, 1, 1)}
    )
    assert days == sorted(set(days))
    assert (days[0], days[-1]) == (date(2025, 1, 1), TODAY + timedelta(days=180))
    assert {turn, turn - timedelta(days=1), TODAY} <= set(days)
    assert len(days) <= fetching.DAYS_EVENLY * 2
    assert fetching.days_to_ask(TODAY, TODAY, TODAY, []) == [TODAY]


class FakeStub:
    """The services behind the charts, with one answer each; remembers what was asked."""

    asked: list[Any]

    def __init__(self, _: object) -> None:
        pass

    async def ListIncidents(self, request: Any, **_: Any) -> relationships.ListIncidentsResponse:
        self.asked.append(request)
        return relationships.ListIncidentsResponse(incidents=[incident()])

    async def GetIncident(self, request: Any, **_: Any) -> relationships.GetIncidentResponse:
        self.asked.append(request)
        point = relationships.RecoveryPoint
        return relationships.GetIncidentResponse(
            incident=incident(),
            curve=[
                point(on=wire_date(BEGIN), moment="before", buffer_mp=9_000),
                point(on=wire_date(BEGIN + timedelta(days=1)), moment="incident", buffer_mp=1),
            ],
            computed=computed(),
        )

    async def ForecastRelationship(
        self, request: Any, **_: Any
    ) -> relationships.ForecastRelationshipResponse:
        self.asked.append(request)
        forecast = relationships.Forecast(impact_mp=10_000, beyond_horizon=True)
        forecast.survives_through.CopyFrom(wire_date(TODAY + timedelta(days=3650)))
        return relationships.ForecastRelationshipResponse(forecast=forecast)

    async def GetPortfolio(self, request: Any, **_: Any) -> portfolios.GetPortfolioResponse:
        self.asked.append(request)
        held = portfolios.Holding(party="people/bob", buffer_mp=7, care_mp=5, share_per_mille=1000)
        return portfolios.GetPortfolioResponse(
            sums=portfolios.Sums(
                know_mp=1,
                care_mp=2,
                buffer_mp=3,
                relationships=4,
                quadrants=[
                    portfolios.QuadrantCount(quadrant=relationships.QUADRANT_BOTH, relationships=4)
                ],
            ),
            by_external=[held],
            capital_at_risk=[held],
            strongest=[capital.Balance(relationship="relationships/ann~bob", buffer_mp=7)],
            computed=computed(),
        )


def incident() -> relationships.Incident:
    return relationships.Incident(
        relationship="relationships/ann~bob",
        occurred_at=timestamp(datetime(2026, 1, 31, 9, tzinfo=UTC)),
        severity=2,
        attribution=touch.ATTRIBUTION_OURS,
        category="delivery",
        open=True,
    )


def computed() -> capital.Computed:
    return capital.Computed(policy="default@1#x", journal="main", position=7, on=wire_date(TODAY))


class FakeClient:
    """A client whose relationship grows by a point a day."""

    projector = SimpleNamespace(
        channel=None, metadata=(), policy=RetryPolicy(timeout_s=1.0, attempt_timeout_s=1.0)
    )

    async def __aenter__(self) -> "FakeClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def balance(
        self, a: str, b: str, *, on: date | None = None, **_: Any
    ) -> capital.GetBalanceResponse:
        day = on or TODAY
        amount = (day - BEGIN).days * 1000
        return capital.GetBalanceResponse(
            balance=capital.Balance(
                relationship="relationships/ann~bob",
                on=wire_date(day),
                know_mp=amount,
                care_mp=amount,
                buffer_mp=amount,
                age_days=30,
            ),
            computed=computed(),
        )

    async def timeline(self, a: str, b: str) -> AsyncIterator[timelines.TimelineLine]:
        for day in (TODAY, BEGIN, BEGIN - timedelta(days=900)):
            when = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
            yield timelines.TimelineLine(occurred_at=timestamp(when))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Rapport:
    FakeStub.asked = []
    monkeypatch.setattr(fetching, "RelationshipServiceStub", FakeStub)
    monkeypatch.setattr(fetching, "PortfolioServiceStub", FakeStub)
    return cast("Rapport", FakeClient())


async def test_a_balance_chart_is_asked_day_by_day(client: Rapport) -> None:
    question = fetching.Question(policy="default@1", names={"people/bob": "Bob Bär"})
    chart = await fetching.balance_chart(client, "ann", "bob", question, days_ahead=30)
    assert (chart.a, chart.b, chart.today) == ("ann", "Bob Bär", TODAY)
    assert chart.points[0].on == BEGIN - timedelta(days=14)
    assert chart.points[-1].on == TODAY + timedelta(days=30)
    assert next(p for p in chart.points if p.on == TODAY).buffer_mp == 30_000
    assert chart.incidents == (Mark(date(2026, 1, 31), 2, True),)
    assert chart.touched_on == (BEGIN, TODAY)
    assert chart.survival == Survival(2, 10_000, TODAY + timedelta(days=3650), True)
    assert chart.note == "default@1#x · journal main up to position 7"
    assert {request.as_of.policy for request in FakeStub.asked} == {"default@1"}


async def test_a_recovery_chart_shows_the_days_around(client: Rapport) -> None:
    chart = await fetching.recovery_chart(client, "id", fetching.Question())
    assert FakeStub.asked[0].event_id == "id"
    assert chart.daily[0][0] == BEGIN - timedelta(days=14)
    assert chart.daily[-1][0] == BEGIN + timedelta(days=46)
    assert [moment.what for moment in chart.moments] == ["before", "incident"]
    assert chart.about == ", ours, delivery"


async def test_a_portfolio_chart_names_people(client: Rapport) -> None:
    question = fetching.Question(names={"people/bob": "Bob Bär"})
    chart = await fetching.portfolio_chart(client, "tenants/default", question)
    assert chart.quadrants == {"BOTH": 4}
    assert chart.external == (Bar("Bob Bär", 7, 1000),)
    assert chart.at_risk == (Bar("Bob Bär", 5),)
    assert chart.strongest == (Bar("ann ~ Bob Bär", 7),)


def test_the_commands_write_a_file(
    client: Rapport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Call, "client", lambda _: client)
    runner, app = CliRunner(), build(plugins=False)
    for words in (["balance", "ann", "bob"], ["recovery", "id"], ["portfolio", "--out", "p.svg"]):
        result = runner.invoke(app, ["chart", *words])
        assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {"balance.png", "recovery.png", "p.svg"}
    assert FakeStub.asked[-1].parent == "tenants/default"
    for whose, parent in (("ann", "people/ann"), ("teams/sales", "teams/sales")):
        assert runner.invoke(app, ["chart", "portfolio", whose, "--out", "p.svg"]).exit_code == 0
        assert FakeStub.asked[-1].parent == parent
    wrong = runner.invoke(app, ["chart", "portfolio", "--out", "p.gif"])
    assert (wrong.exit_code, ".png or .svg" in wrong.stderr) == (2, True)


def test_those_in_no_quadrant_are_told_in_the_caption() -> None:
    figure = draw_portfolio(dataclasses.replace(PORTFOLIO, too_little_evidence=4))
    assert [axes.get_title() for axes in figure.axes if "rest on" in axes.get_title()] == [
        "Relationships by what they rest on\n4 more with too little evidence"
    ]

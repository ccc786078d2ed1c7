"""The chart of one relationship: KNOW, CARE and buffer over time, and what would become of them."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rapport.cli.charts.data import BalanceChart, Survival
from rapport.cli.charts.style import (
    BUFFER,
    CARE,
    INCIDENT,
    INK,
    KNOW,
    QUIET,
    over_days,
    points_of,
    sheet,
    told,
    x_of,
)


def draw_balance(chart: BalanceChart) -> Figure:
    """The sheet. The projection without further contact is dashed."""
    now = next((p for p in reversed(chart.points) if p.on <= chart.today), None)
    words = "nothing recorded"
    if now is not None:
        words = (
            f"{now.on.isoformat()}:  KNOW {told(now.know_mp)}   CARE {told(now.care_mp)}"
            f"   buffer {told(now.buffer_mp)} points{_survival_words(chart.survival)}"
        )
    figure = sheet(f"{chart.a}  ~  {chart.b}", words, chart.note)
    axes = figure.add_axes((0.07, 0.11, 0.90, 0.66))
    _lines(axes, chart)
    _zero_and_today(axes, chart)
    if chart.survival is not None:
        _survival(axes, chart.survival)
    _incidents(axes, chart)
    if chart.touched_on:
        _rug(axes, chart)
    over_days(axes)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncol=7,
        fontsize=8.5,
        handlelength=1.6,
        columnspacing=1.3,
    )
    return figure


def _lines(axes: Axes, chart: BalanceChart) -> None:
    past = [p for p in chart.points if p.on <= chart.today]
    # The projection begins where the past ends, so that the line does not break.
    ahead = past[-1:] + [p for p in chart.points if p.on > chart.today]
    for name, colour, width in (("KNOW", KNOW, 1.6), ("CARE", CARE, 1.6), ("buffer", BUFFER, 2.6)):
        attribute = f"{name.lower()}_mp"
        for part, style in ((past, "-"), (ahead, "--")):
            days = [x_of(p.on) for p in part]
            amounts = [points_of(getattr(p, attribute)) for p in part]
            axes.plot(
                days,
                amounts,
                style,
                color=colour,
                linewidth=width,
                solid_capstyle="round",
                label=name if style == "-" else None,
                zorder=3,
            )
            if name == "buffer":
                faint = 0.12 if style == "-" else 0.05
                axes.fill_between(days, amounts, color=colour, alpha=faint, linewidth=0)
    if len(ahead) > 1:
        axes.plot([], [], "--", color=QUIET, label="without further contact")


def _zero_and_today(axes: Axes, chart: BalanceChart) -> None:
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=2)
    if any(p.on > chart.today for p in chart.points):
        axes.axvline(x_of(chart.today), color=QUIET, linewidth=0.8, linestyle=":", zorder=2)
        axes.annotate(
            "today",
            (x_of(chart.today), 0),
            xycoords=("data", "axes fraction"),
            xytext=(4, 12),
            textcoords="offset points",
            fontsize=8.5,
            color=QUIET,
            va="bottom",
        )


def _survival(axes: Axes, survival: Survival) -> None:
    impact = points_of(survival.impact_mp)
    axes.axhline(
        impact,
        color=INCIDENT,
        linewidth=1,
        linestyle=(0, (1, 2)),
        zorder=2,
        label=f"a severity {survival.severity} of ours takes",
    )
    low, high = axes.get_xlim()
    if survival.through is not None and not survival.beyond and x_of(survival.through) <= high:
        day = x_of(survival.through)
        axes.plot([day], [impact], "o", color=INCIDENT, markersize=5, zorder=5)
        at_right = day > low + 0.8 * (high - low)
        axes.annotate(
            f"survives until {survival.through.isoformat()}",
            (day, impact),
            xytext=(-6 if at_right else 6, 7),
            textcoords="offset points",
            fontsize=8.5,
            color=INCIDENT,
            ha="right" if at_right else "left",
        )


def _incidents(axes: Axes, chart: BalanceChart) -> None:
    for index, mark in enumerate(chart.incidents):
        day = x_of(mark.on)
        axes.axvline(day, color=INCIDENT, linewidth=1, alpha=0.5, zorder=2)
        axes.plot(
            [day],
            [1],
            "v",
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            zorder=6,
            color=INCIDENT,
            markersize=8,
            markerfacecolor="white" if mark.is_open else INCIDENT,
            label=None if index else "incident, severity (hollow: open)",
        )
        axes.annotate(
            str(mark.severity),
            (day, 1),
            xycoords=("data", "axes fraction"),
            xytext=(5, -4),
            textcoords="offset points",
            fontsize=8.5,
            color=INCIDENT,
            va="top",
        )


def _rug(axes: Axes, chart: BalanceChart) -> None:
    days = [x_of(day) for day in chart.touched_on]
    axes.plot(
        days,
        [0.0] * len(days),
        "|",
        transform=axes.get_xaxis_transform(),
        color=INK,
        markersize=9,
        alpha=0.45,
        zorder=4,
        label="touchpoint",
    )


def _survival_words(survival: Survival | None) -> str:
    if survival is None:
        return ""
    if survival.through is None:
        return f"   ·   would not survive a severity {survival.severity} today"
    until = "for as long as one can see" if survival.beyond else f"until {survival.through}"
    return f"   ·   survives a severity {survival.severity} {until}"

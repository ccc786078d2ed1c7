"""The chart of an incident: the buffer before, what it took, and what was made good."""

from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rapport.cli.charts.data import Moment, RecoveryChart
from rapport.cli.charts.style import (
    BUFFER,
    INCIDENT,
    QUIET,
    over_days,
    points_of,
    sheet,
    told,
    x_of,
)


def draw_recovery(chart: RecoveryChart) -> Figure:
    """The sheet. What follows today is dashed."""
    incident = next((m for m in chart.moments if m.what == "incident"), None)
    day = f" of {incident.on.isoformat()}" if incident else ""
    figure = sheet(
        f"{chart.a}  ~  {chart.b}:  the incident{day}",
        f"severity {chart.severity}{chart.about}  ·  {_outcome(chart)}",
        chart.note,
    )
    axes = figure.add_axes((0.07, 0.11, 0.90, 0.66))
    _line(axes, chart)
    before = next((m for m in chart.moments if m.what == "before"), None)
    if before is not None:
        axes.axhline(
            points_of(before.buffer_mp),
            color=QUIET,
            linewidth=1,
            linestyle=(0, (1, 2)),
            label="before the incident",
            zorder=2,
        )
    axes.margins(y=0.18)
    _moments(axes, chart)
    over_days(axes)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncol=5,
        fontsize=9,
        handlelength=2.6,
        columnspacing=1.6,
    )
    return figure


def _line(axes: Axes, chart: RecoveryChart) -> None:
    past = [(day, mp) for day, mp in chart.daily if day <= chart.today]
    ahead = past[-1:] + [(day, mp) for day, mp in chart.daily if day > chart.today]
    for part, style in ((past, "-"), (ahead, "--")):
        if style == "-" or len(part) > 1:
            days = [x_of(day) for day, _ in part]
            amounts = [points_of(mp) for _, mp in part]
            axes.plot(
                days,
                amounts,
                style,
                color=BUFFER,
                linewidth=2.6,
                zorder=3,
                label="buffer" if style == "-" else "without further contact",
            )
            axes.fill_between(
                days, amounts, color=BUFFER, linewidth=0, alpha=0.12 if style == "-" else 0.05
            )
    axes.axhline(0, color=QUIET, linewidth=0.8, zorder=2)


def _moments(axes: Axes, chart: RecoveryChart) -> None:
    """Every day is named once: the incident below the line, what came before and after above it."""
    in_order = sorted(chart.moments, key=lambda moment: moment.on)
    for on, found in groupby(in_order, key=lambda moment: moment.on):
        moments = list(found)
        mp = moments[-1].buffer_mp
        hurt = any(moment.what == "incident" for moment in moments)
        before = moments[0].what == "before"
        colour = INCIDENT if hurt else BUFFER
        axes.plot(
            [x_of(on)],
            [points_of(mp)],
            "o",
            color=colour,
            markersize=8,
            markeredgecolor="white",
            markeredgewidth=1.5,
            zorder=5,
        )
        axes.annotate(
            f"{' + '.join(map(_name, moments))}\n{told(mp)}",
            (x_of(on), points_of(mp)),
            xytext=(-4 if before else 2, -11 if hurt else 10),
            textcoords="offset points",
            ha="right" if before else "left",
            va="top" if hurt else "bottom",
            fontsize=9,
            color=colour,
            linespacing=1.3,
            zorder=6,
        )


def _name(moment: Moment) -> str:
    return moment.what.replace("_", "-").lower()


def _outcome(chart: RecoveryChart) -> str:
    """In one line: how much it took and how much came back."""
    by_what = {moment.what: moment.buffer_mp for moment in chart.moments}
    steps = [m for m in chart.moments if m.what not in {"before", "incident"}]
    if "before" not in by_what or "incident" not in by_what:
        return "open" if chart.is_open else "made good"
    took = by_what["before"] - by_what["incident"]
    words = f"took {told(took)} points of {told(by_what['before'])}"
    if not steps:
        return f"{words}; nothing was made good yet"
    back = steps[-1].buffer_mp - by_what["incident"]
    share = f" ({round(100 * back / took)} %)" if took > 0 else ""
    return f"{words}; {told(back)}{share} more since" + ("; still open" if chart.is_open else "")

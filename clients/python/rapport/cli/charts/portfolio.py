"""The chart of many relationships: where they stand, who holds them, what would leave."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from rapport.cli.charts.data import Bar, PortfolioChart
from rapport.cli.charts.style import (
    BUFFER,
    CARE,
    INCIDENT,
    KNOW,
    QUIET,
    clipped,
    points_formatter,
    points_of,
    sheet,
    told,
)
from rapport.cli.output import counted

BARS_MAX = 8
# What the names to the left of bars take, of the sheet's width, and how long they may be.
NAMES_WIDTH = 0.15
NAMES_CHARACTERS = 21
_QUADRANTS = (
    ("NEITHER", 0, 0, "neither", "#E5E7EB"),
    ("KNOW", 1, 0, "KNOW alone", KNOW),
    ("CARE", 0, 1, "CARE alone", CARE),
    ("BOTH", 1, 1, "both", BUFFER),
)


def draw_portfolio(chart: PortfolioChart) -> Figure:
    """The sheet."""
    words = (
        f"{chart.on.isoformat()}:  {counted(chart.relationships, 'relationship')}   KNOW"
        f" {told(chart.know_mp)}   CARE {told(chart.care_mp)}"
        f"   buffer {told(chart.buffer_mp)} points"
    )
    figure = sheet(chart.owner, words, chart.note, height=8.6)
    high, low, height = 0.52, 0.09, 0.315
    _quadrants(figure.add_axes((0.07, high, 0.35, height)), chart)
    _bars(
        figure.add_axes((0.65, high, 0.32, height)),
        "Buffer by their people",
        chart.external,
        BUFFER,
    )
    _bars(
        figure.add_axes((0.22, low, 0.20, height)),
        "CARE that leaves with our people",
        chart.at_risk,
        CARE,
    )
    _both_ends(figure.add_axes((0.65, low, 0.32, height)), chart)
    return figure


def _quadrants(axes: Axes, chart: PortfolioChart) -> None:
    """Four fields, the fuller the darker, with how many relationships stand there."""
    most = max([*chart.quadrants.values(), 1])
    for name, x, y, words, colour in _QUADRANTS:
        count = chart.quadrants.get(name, 0)
        alpha = 0.10 + 0.55 * count / most
        axes.add_patch(
            Rectangle((x + 0.01, y + 0.01), 0.98, 0.98, color=colour, alpha=alpha, linewidth=0)
        )
        axes.text(
            x + 0.5,
            y + 0.56,
            f"{count:,}",
            ha="center",
            va="center",
            fontsize=22,
            fontweight="bold",
        )
        axes.text(x + 0.5, y + 0.27, words, ha="center", va="center", fontsize=9.5)
    axes.set_xlim(0, 2)
    axes.set_ylim(0, 2)
    axes.set_xticks([0.5, 1.5], ["below 10", "from 10"])
    axes.set_yticks([0.5, 1.5], ["below 10", "from 10"], rotation=90, va="center")
    axes.set_xlabel("KNOW, points", color=KNOW)
    axes.set_ylabel("CARE, points", color=CARE)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    left_out = chart.too_little_evidence
    more = f"\n{counted(left_out, 'more', 'more')} with too little evidence" if left_out else ""
    axes.set_title("Relationships by what they rest on" + more, pad=10)


def _bars(axes: Axes, title: str, bars: Sequence[Bar], colour: str) -> None:
    shown = list(bars[:BARS_MAX])
    _horizontal(axes, shown, [colour] * len(shown))
    hidden = len(bars) - len(shown)
    _head(axes, title + (f"  (+ {hidden} more)" if hidden > 0 else ""))


def _both_ends(axes: Axes, chart: PortfolioChart) -> None:
    """The strongest above, the weakest below; one that is both stands above."""
    strongest = list(chart.strongest[: BARS_MAX // 2])
    names = {bar.name for bar in strongest}
    weakest = [bar for bar in chart.weakest if bar.name not in names][: BARS_MAX // 2]
    shown = strongest + weakest[::-1]
    _horizontal(axes, shown, [BUFFER] * len(strongest) + [INCIDENT] * len(weakest))
    _head(axes, "Strongest and weakest relationships, by buffer")


def _head(axes: Axes, title: str) -> None:
    """A title that begins where the names do."""
    place = axes.get_position()
    axes.set_title(title, x=-NAMES_WIDTH / place.width, pad=10)


def _horizontal(axes: Axes, bars: Sequence[Bar], colours: Sequence[str]) -> None:
    """The first on top; every bar with its amount."""
    axes.set_yticks(
        range(len(bars)), [clipped(bar.name, NAMES_CHARACTERS) for bar in bars], fontsize=9
    )
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(points_formatter())
    axes.set_xlabel("points")
    axes.spines["left"].set_visible(False)
    if not bars:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", color=QUIET)
        axes.set_xticks([])
        return
    amounts = [points_of(bar.mp) for bar in bars]
    axes.barh(range(len(bars)), amounts, color=list(colours), height=0.62, zorder=2)
    axes.axvline(0, color=QUIET, linewidth=0.8, zorder=3)
    axes.set_ylim(max(len(bars), 4) - 0.4, -0.6)
    low, high = min([*amounts, 0.0]), max([*amounts, 0.0])
    room = 0.22 * ((high - low) or 1.0)
    axes.set_xlim(low - (room if low < 0 else 0), high + room)
    for row, (bar, amount) in enumerate(zip(bars, amounts, strict=True)):
        share = "" if bar.share_per_mille is None else f"  {bar.share_per_mille / 10:.0f} %"
        axes.annotate(
            told(bar.mp) + share,
            (amount, row),
            xytext=(4 if amount >= 0 else -4, 0),
            textcoords="offset points",
            va="center",
            ha="left" if amount >= 0 else "right",
            fontsize=8.5,
            zorder=4,
        )

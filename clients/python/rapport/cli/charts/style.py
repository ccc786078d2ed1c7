"""How the charts look: one palette, points on the axis, files without a date in them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

# Okabe and Ito's colours, told apart by everybody.
KNOW: Final = "#0072B2"
CARE: Final = "#CC79A7"
BUFFER: Final = "#009E73"
INCIDENT: Final = "#D55E00"
INK: Final = "#22262B"
QUIET: Final = "#6B7280"
GRID: Final = "#E5E7EB"

DPI: Final = 150

# matplotlib counts days from here (rcParams["date.epoch"]).
_EPOCH: Final = date(1970, 1, 1)

_LOOK: Final[Any] = {  # matplotlib types the names of all its settings
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a name with two dollar signs is no formula
    "axes.edgecolor": QUIET,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "grid.color": GRID,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.hashsalt": "rapport",
}


@contextmanager
def look() -> Iterator[None]:
    """The house style, for as long as something is drawn and saved."""
    with mpl.rc_context(_LOOK), warnings.catch_warnings():
        # A name in a script the font does not have shows as boxes; that is no reason to complain.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def sheet(title: str, subtitle: str, note: str, *, height: float = 6.2) -> Figure:
    """An empty sheet of 11 by `height` inches with its words; axes go between 0.10 and 0.84."""
    figure = Figure(figsize=(11, height), dpi=DPI)
    figure.text(0.07, 1 - 0.42 / height, title, fontsize=15, fontweight="bold", va="center")
    figure.text(0.07, 1 - 0.75 / height, subtitle, fontsize=10.5, color=QUIET, va="center")
    figure.text(0.07, 0.13 / height, note, fontsize=7.5, color=QUIET, va="bottom")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Writes PNG or SVG, by the ending; the same chart makes the same bytes."""
    is_svg = path.suffix.lower() == ".svg"
    metadata: dict[str, Any] = {"Date": None} if is_svg else {"Software": None}
    figure.savefig(path, format="svg" if is_svg else "png", metadata=metadata)


def over_days(axes: Axes) -> None:
    """Days on the x axis, points on the y axis."""
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_formatter(points_formatter())
    axes.set_ylabel("points")
    axes.grid(axis="y")
    axes.tick_params(length=0)
    axes.margins(x=0.01)


def points_formatter() -> FuncFormatter:
    """Numbers on an axis of points; one for every axis, which it keeps."""
    return FuncFormatter(lambda value, _: f"{value:,.6g}")


def x_of(day: date) -> float:
    """Where a day stands on the axis."""
    return float((day - _EPOCH).days)


def points_of(mp: int) -> float:
    """Milli-points as points, to be drawn."""
    return mp / 1000


def told(mp: int) -> str:
    """Milli-points as points to be read, with one decimal."""
    words = f"{mp / 1000:,.1f}"
    return "0.0" if words == "-0.0" else words


def clipped(text: str, characters_max: int = 28) -> str:
    """A name that fits."""
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"

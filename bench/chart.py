"""The figures as a chart: how much of its target each reaches, the spread beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_REACHED: Final = "#2a6f4e"
_SHORT: Final = "#b3541e"
_INCHES_PER_FIGURE: Final = 0.42
_SHARE_MAX: Final = 10.0


def shares(document: Mapping[str, Any]) -> list[tuple[str, float, float, float, bool]]:
    """Name, share of the target, its smallest and largest repeat, whether it is reached.

    1 is the target; of a cost, which is to be low, the share is target over ratio, at most ten.
    What has a target and was not measured has a share of nothing.
    """
    found = []
    for figure in document["figures"]:
        if figure["target"] is None:
            continue
        name = f"{figure['what']} ÷ {figure['over']}"
        if "skipped" in figure:
            found.append((name, 0.0, 0.0, 0.0, False))
            continue
        target, ratios = figure["target"], [figure["ratio_min"], figure["ratio_max"]]
        if figure["at_most"]:
            share = _of_cost(target, figure["ratio"])
            ends = sorted(_of_cost(target, each) for each in ratios)
        else:
            share, ends = figure["ratio"] / target, [each / target for each in ratios]
        found.append((name, share, ends[0], ends[1], bool(figure["reached"])))
    return found


def _of_cost(target: float, ratio: float) -> float:
    """A cost of nothing is as far below its ceiling as is shown."""
    return min(target / ratio, _SHARE_MAX) if ratio > 0 else _SHARE_MAX


def is_drawable() -> bool:
    """Whether matplotlib is here (extra `charts`)."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def draw(document: Mapping[str, Any], path: Path) -> None:
    """Write a PNG or SVG, by the name's ending."""
    from matplotlib.figure import Figure

    lines = shares(document)
    figure = Figure(figsize=(9, 1.2 + _INCHES_PER_FIGURE * len(lines)), layout="constrained")
    axes = figure.subplots()
    places = range(len(lines))
    axes.barh(
        places,
        [share for _, share, *_ in lines],
        xerr=(
            [max(0.0, share - low) for _, share, low, _, _ in lines],
            [max(0.0, high - share) for _, share, _, high, _ in lines],
        ),
        color=[_REACHED if reached else _SHORT for *_, reached in lines],
        ecolor="#555555",
        capsize=2,
    )
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(places, [name for name, *_ in lines], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("share of the target (1 = reached)")
    figure.savefig(path)

"""`python -m bench.capacity [--write-docs]`: what so many events a day want, by what was measured.

Every figure comes from docs/benchmarks.json by its key, or, until a run has written it there, from
the values below, which are marked in the sheet. Nothing is typed into the document.
"""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.consumption import KEYS, PARTS, STORES
from bench.docs import JSON_FILE, ROOT

DOCUMENT: Final = ROOT / "docs/capacity.md"
BEGIN: Final = "<!-- capacity: made by `python -m bench.capacity --write-docs` -->"
END: Final = "<!-- end of capacity -->"
EVENTS_A_DAY: Final = (10**6, 10**8, 10**10)
_DAY_S: Final = 86_400
_YEAR_DAYS: Final = 365
_US: Final = 1e-6
_GB: Final = 1e9
_TB: Final = 1e12


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that was not measured: change it here, and the sheet follows."""

    what: str
    value: float
    unit: str


ASSUMED: Final[Mapping[str, Assumption]] = {
    "peak": Assumption("busiest second over the mean of the day", 4, "×"),
    "alone": Assumption("events that come alone, the others in streams", 0.2, "of all"),
    "full": Assumption("how busy a core, or a journal's way, may be at the peak", 0.6, "of all"),
    "cores": Assumption("cores of a node", 16, "cores"),
    "disk": Assumption("disk a node carries at most", 32, "TB"),
    "kept": Assumption("days whose events are in PostgreSQL, older ones in files", 365, "days"),
    "streamed": Assumption("days kept in streams, older ones read from the ledger", 30, "days"),
    "files": Assumption("size of old events in files over that in the journal", 0.3, "×"),
    "standby": Assumption("copies of PostgreSQL, standby included", 2, "copies"),
    "replay": Assumption("CPU of a standby over that of its primary", 0.5, "×"),
    "r": Assumption("copies of a stream (R3)", 3, "copies"),
    "nodes": Assumption("nodes at the least, so that one may be lost", 3, "nodes"),
    "node_price": Assumption("price of a node without its disk", 400, "$ a month"),
    "disk_price": Assumption("price of disk", 80, "$ a TB and month"),
    "file_price": Assumption("price of files", 20, "$ a TB and month"),
}

# In place of figures that are not in the JSON yet, and marked as such: µs of CPU an event, bytes an
# event, events a second of one journal's whole way.
_UNTIL_MEASURED: Final[Mapping[str, float]] = {
    "ingest_followed": 7_100,
    **{
        f"cpu_{part}_{way}": value
        for way, values in (
            ("streamed", (90, 100, 120, 20)),
            ("alone", (400, 100, 200, 30)),
        )
        for part, value in zip(PARTS, values, strict=True)
    },
    **dict(
        zip((f"bytes_{store}" for store in (*STORES, KEYS)), (900, 1_800, 700, 300), strict=True)
    ),
}


@dataclass(frozen=True, slots=True)
class Known:
    """A measured median with where it comes from."""

    key: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one number of events a day wants."""

    events_a_day: int
    peak_per_s: float
    journals: int
    cores: float
    nodes: int
    postgres_tb: float
    postgres_tb_a_year: float
    streams_tb: float
    files_tb_a_year: float
    price: float


def known(document: Mapping[str, Any]) -> dict[str, Known]:
    """Every figure the sheet is computed from, by key."""
    measured = {figure["key"]: figure for figure in document.get("figures", ())}
    found = {}
    for key, value in _UNTIL_MEASURED.items():
        figure = measured.get(key)
        if figure is None or "skipped" in figure:
            unit = "events/s" if key == "ingest_followed" else key.partition("_")[0]
            unit = {"cpu": "µs/event", "bytes": "bytes/event"}.get(unit, unit)
            found[key] = Known(key, value, unit, "**not measured yet**")
            continue
        run = figure["run"]
        source = f"{run['commit']}{', small sizes' if run['quick'] else ''}"
        found[key] = Known(key, figure["subject_median"], figure["unit"], source)
    return found


def way_per_s(figures: Mapping[str, Known]) -> float:
    """Events a second that one journal's whole way takes of the mix of those streamed and alone.

    Measured is how it keeps up with a stream; one that comes alone holds it up for as much longer
    as all parts take more CPU for it.
    """
    streamed_us, alone_us = (_cpu_us(figures, way) for way in ("streamed", "alone"))
    alone = ASSUMED["alone"].value
    return figures["ingest_followed"].value / (1 - alone + alone * alone_us / streamed_us)


def sheet(events_a_day: int, figures: Mapping[str, Known]) -> Sheet:
    """Journals, nodes, storage and price. Parts of one journal share its way's measured rate."""
    assume = {name: each.value for name, each in ASSUMED.items()}
    peak = events_a_day / _DAY_S * assume["peak"]
    copies = {"nats": assume["r"], "postgres": 1 + (assume["standby"] - 1) * assume["replay"]}
    cpu_us = sum(
        _cpu_us(figures, way, copies) * share
        for way, share in (("streamed", 1 - assume["alone"]), ("alone", assume["alone"]))
    )
    cores = peak * cpu_us * _US / assume["full"]
    journals = math.ceil(peak / (way_per_s(figures) * assume["full"]))
    stored = {store: figures[f"bytes_{store}"].value for store in (*STORES, KEYS)}
    # Read models and the keys of events stay when the events themselves go to files.
    kept = min(assume["kept"], _YEAR_DAYS)
    stays = (stored["views"] + stored[KEYS]) * _YEAR_DAYS
    goes = (stored["journal"] - stored[KEYS]) * kept
    postgres_tb = events_a_day * (stays + goes) * assume["standby"] / _TB
    further_tb = events_a_day * stays * assume["standby"] / _TB
    streams_tb = events_a_day * stored["stream"] * assume["streamed"] * assume["r"] / _TB
    in_files = stored["journal"] - stored[KEYS]
    files_tb = events_a_day * in_files * _YEAR_DAYS * assume["files"] / _TB
    disk_tb = postgres_tb + streams_tb
    nodes = max(
        math.ceil(cores / assume["cores"]),
        math.ceil(disk_tb / assume["disk"]),
        int(assume["nodes"]),
    )
    price = (
        nodes * assume["node_price"]
        + disk_tb * assume["disk_price"]
        + files_tb * assume["file_price"]
    )
    return Sheet(
        events_a_day,
        peak,
        journals,
        cores,
        nodes,
        postgres_tb,
        further_tb,
        streams_tb,
        files_tb,
        price,
    )


def _cpu_us(
    figures: Mapping[str, Known], way: str, copies: Mapping[str, float] | None = None
) -> float:
    """Microseconds of CPU of all parts for an event, each as often as there are copies of it."""
    times = copies or {}
    return sum(figures[f"cpu_{part}_{way}"].value * times.get(part, 1.0) for part in PARTS)


def markdown(figures: Mapping[str, Known], sheets: Sequence[Sheet]) -> list[str]:
    """The tables of the document."""
    lines = ["| measured | median | | run |", "|---|---|---|---|"]
    lines += [
        f"| `{each.key}` | {each.value:,.4g} | {each.unit} | {each.source} |"
        for each in figures.values()
    ]
    lines += ["", "| assumed | | |", "|---|---|---|"]
    lines += [f"| {each.what} | {each.value:g} | {each.unit} |" for each in ASSUMED.values()]
    lines += ["", "| | " + " | ".join(_power(each.events_a_day) for each in sheets) + " |"]
    lines += ["|---|" + "---|" * len(sheets)]
    for name, told in _TOLD:
        lines.append(f"| {name} | " + " | ".join(told(each) for each in sheets) + " |")
    return lines


def filled(text: str, document: Mapping[str, Any]) -> str:
    """The document with its tables; ValueError if the markers are missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("the markers of the capacity sheet are missing")
    return f"{head}{BEGIN}\n{'\n'.join(_tables(document))}\n{END}{tail}"


def write(document: Mapping[str, Any]) -> None:
    """Bring the sheet up to date with a JSON document."""
    DOCUMENT.write_text(filled(DOCUMENT.read_text("utf-8"), document), encoding="utf-8")


def main() -> None:
    """Print the tables, or write them."""
    document = json.loads(JSON_FILE.read_text("utf-8")) if JSON_FILE.exists() else {}
    if "--write-docs" in sys.argv[1:]:
        write(document)
    else:
        print("\n".join(_tables(document)))


def _tables(document: Mapping[str, Any]) -> list[str]:
    figures = known(document)
    return markdown(figures, [sheet(events, figures) for events in EVENTS_A_DAY])


def _power(events: int) -> str:
    digits = str(round(math.log10(events))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits} events a day"


def _size(tb: float) -> str:
    return f"{tb:,.1f} TB" if tb >= 1 else f"{tb * _TB / _GB:,.0f} GB"


_TOLD: Final[tuple[tuple[str, Callable[[Sheet], str]], ...]] = (
    ("events a second at the peak", lambda s: f"{s.peak_per_s:,.0f}"),
    ("journals", lambda s: f"{s.journals:,}"),
    ("cores", lambda s: f"{s.cores:,.1f}"),
    ("nodes", lambda s: f"{s.nodes:,}"),
    ("PostgreSQL after a year, all copies", lambda s: _size(s.postgres_tb)),
    ("PostgreSQL, each further year, all copies", lambda s: _size(s.postgres_tb_a_year)),
    ("streams, all copies", lambda s: _size(s.streams_tb)),
    ("files, each further year", lambda s: _size(s.files_tb_a_year)),
    ("$ a month in the first year", lambda s: f"{s.price:,.0f}"),
    ("$ a million events", lambda s: f"{s.price / (s.events_a_day * 30) * 1e6:,.2f}"),
)


if __name__ == "__main__":
    main()

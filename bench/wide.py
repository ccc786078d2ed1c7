"""What questions cost in a large tenant against a small one of the same installation.

    python -m bench.wide --dir D [--small 1000x20000] [--large 100000x2000000] [--keep]

Every question is asked about the same number of relationships of the same size in both tenants, in
random order, one call at a time, so that what else the machine does falls on both alike. Each
sample is asked first once, unmeasured among the medians (`first`: what it costs when nothing of it
is in memory), then `--rounds` times. Prints JSON: milliseconds and the ratio of the medians.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from rapport import Rapport

from bench.made import Cast
from bench.wide_calls import CALLS, LIMITED, Ask
from bench.wide_load import SEED, Size, client_of, loaded_stack
from deploy.local.stack import Stack

type Samples = dict[tuple[str, str], list[float]]


async def compare(
    clients: dict[str, Rapport], sizes: list[Size], *, samples: int, rounds: int, only: str
) -> list[dict[str, Any]]:
    """One line a question: p50 in both tenants in ms, and large over small."""
    random = Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    asks = [
        (call, size.tenant, number, ask)
        for call, ask in CALLS.items()
        if only in call
        for size in sizes
        for number in _numbers(random, size, LIMITED.get(call, samples))
    ]
    casts = {size.tenant: Cast(size.relationships) for size in sizes}
    first: Samples = defaultdict(list)
    again: Samples = defaultdict(list)
    for measured in (first, *[again] * rounds):
        random.shuffle(asks)
        for call, tenant, number, ask in asks:
            cost_ms = await _timed(ask, clients[tenant], casts[tenant], number)
            measured[call, tenant].append(cost_ms)
    return [_line(call, sizes, first, again) for call in CALLS if only in call]


def _numbers(random: Random, size: Size, count: int) -> list[int]:
    return random.sample(range(size.relationships), min(count, size.relationships))


async def _timed(ask: Ask, client: Rapport, cast: Cast, number: int) -> float:
    begun_s = time.perf_counter()
    await ask(client, cast, number)
    return (time.perf_counter() - begun_s) * 1000


def _line(call: str, sizes: list[Size], first: Samples, again: Samples) -> dict[str, Any]:
    small, large = (median(again[call, size.tenant]) for size in sizes)
    first_small, first_large = (median(first[call, size.tenant]) for size in sizes)
    return {
        "call": call,
        "small_p50_ms": round(small, 2),
        "large_p50_ms": round(large, 2),
        "ratio": round(large / small, 2),
        "first_small_p50_ms": round(first_small, 2),
        "first_large_p50_ms": round(first_large, 2),
        "samples": len(again[call, sizes[0].tenant]),
    }


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """The report; the stack goes down afterwards unless it is to be kept."""
    sizes = [Size.parse("small", options.small), Size.parse("large", options.large)]
    directory = Path(options.dir)
    try:
        state = await loaded_stack(directory, sizes, _say)
        clients = {size.tenant: client_of(state, size.tenant) for size in sizes}
        try:
            lines = await compare(
                clients, sizes, samples=options.samples, rounds=options.rounds, only=options.only
            )
        finally:
            for client in clients.values():
                await client.close()
    finally:
        if not options.keep:
            await Stack(directory).down()
    return {"tenants": [asdict(size) for size in sizes], "calls": lines}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """The options of the script."""
    options = argparse.ArgumentParser("bench.wide", description=__doc__.partition("\n")[0])
    options.add_argument("--dir", required=True, help="the folder of the stack; kept between runs")
    options.add_argument("--small", default="1000x20000", help="relationships x entries")
    options.add_argument("--large", default="100000x2000000")
    options.add_argument("--samples", type=int, default=30, help="relationships a question")
    options.add_argument("--rounds", type=int, default=3, help="how often each is asked again")
    options.add_argument("--only", default="", help="only questions with this in their name")
    options.add_argument("--keep", action="store_true", help="leave the stack up")
    return options


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(parser().parse_args())), indent=1))

"""Faults of the network between processes: the weather of a pair's proxy turns bad."""

from collections.abc import Sequence
from typing import Final

from tests.faults.torture.faults import Fault
from tests.faults.torture.proxy import FAIR, Proxy, Weather


class _OnTheWay(Fault):
    """One or two pairs of processes that run for the whole of it, any of them."""

    lasts_s = (2.0, 12.0)

    def choose(self) -> None:
        known = self.stage.proxies
        always = sorted(name for name in known if "ledger-3" not in name)
        names = self.dice.sample(always, self.dice.choice((1, 1, 2)))
        self.proxies: list[Proxy] = [known[name] for name in names]
        self.target = ", ".join(names)
        self.bad = self.weather()

    def weather(self) -> Weather:
        """What it becomes."""
        raise NotImplementedError

    @property
    def claims(self) -> frozenset[str]:
        return frozenset(proxy.name for proxy in self.proxies)

    async def begin(self) -> None:
        for proxy in self.proxies:
            await proxy.become(self.bad)

    async def end(self) -> None:
        for proxy in self.proxies:
            await proxy.become(FAIR)


class Slow(_OnTheWay):
    """Everything comes late, and not evenly so."""

    name = "network-slow"

    def weather(self) -> Weather:
        latency_s = self.dice.choice((0.02, 0.1, 0.4))
        self.detail = {"latency_s": latency_s}
        return Weather(latency_s=latency_s, jitter_s=latency_s)


class Narrow(_OnTheWay):
    """So many bytes a second and no more."""

    name = "network-throttled"

    def weather(self) -> Weather:
        bytes_per_s = self.dice.choice((5_000, 50_000, 500_000))
        self.detail = {"bytes_per_s": bytes_per_s}
        return Weather(bytes_per_s=bytes_per_s)


class OneWay(_OnTheWay):
    """Nothing arrives in one direction."""

    name = "network-one-way"

    def weather(self) -> Weather:
        up = self.dice.random() < 0.5
        self.detail = {"lost": "requests" if up else "answers"}
        return Weather(loses_up=up, loses_down=not up)


class HalfOpen(_OnTheWay):
    """Connections are accepted, and nobody answers."""

    name = "network-half-open"

    def weather(self) -> Weather:
        return Weather(half_open=True)


class Refused(_OnTheWay):
    """Nobody listens any more."""

    name = "network-refused"

    def weather(self) -> Weather:
        return Weather(refuses=True)


class Reset(_OnTheWay):
    """Every connection is reset, and may be opened again at once."""

    name = "network-reset"
    lasts_s = (0.0, 0.0)

    def weather(self) -> Weather:
        return FAIR

    async def begin(self) -> None:
        for proxy in self.proxies:
            proxy.reset()


class NodesCutOff(Fault):
    """Two servers of NATS reach nobody: each of the three is alone."""

    name = "nats-two-nodes-cut-off"
    lasts_s = (4.0, 15.0)

    @classmethod
    def why_not(cls, stage: "object") -> str | None:
        return None if getattr(stage, "nats_mode", "") == "r3" else "NATS is one server in this run"

    def choose(self) -> None:
        self.target = "nats-routes"

    async def begin(self) -> None:
        for proxy in self.stage.nodes.routes.values():
            await proxy.become(Weather(refuses=True))

    async def end(self) -> None:
        for proxy in self.stage.nodes.routes.values():
            await proxy.become(FAIR)


ON_THE_WAY: Final[Sequence[type[Fault]]] = (
    Slow,
    Narrow,
    OneWay,
    HalfOpen,
    Refused,
    Reset,
    NodesCutOff,
)

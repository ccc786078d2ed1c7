"""Whom faults befall."""

from random import Random
from types import SimpleNamespace
from typing import cast

from tests.faults.torture.faults_on_the_way import ON_THE_WAY, NodesCutOff
from tests.faults.torture.schedule import ALL
from tests.faults.torture.stage import Stage

PAIRS = ("ledger-1>nats", "ledger-3>nats", "ledger-3>postgres", "projector-1>postgres")


def test_the_network_is_bad_only_between_processes_that_run() -> None:
    proxies = {name: SimpleNamespace(name=name) for name in PAIRS}
    stage = cast(Stage, SimpleNamespace(proxies=proxies))
    for kind in set(ON_THE_WAY) - {NodesCutOff}:
        targets = {kind(stage, Random(seed)).target for seed in range(50)}
        assert not any("ledger-3" in target for target in targets)
        assert any("projector-1" in target for target in targets)


def test_what_takes_long_to_begin_has_the_time_for_it() -> None:
    deadlines = {kind.name: kind.deadline_s for kind in ALL}
    assert deadlines["deployment"] >= 240
    assert min(deadlines.values()) >= 60

"""One of Rapport's services as a process of the stack: `python -m services.ledger` and the like."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.ports import is_free
from deploy.local.process import POLITE, POLL_INTERVAL_S, Process, spawn, tail_of
from deploy.local.state import StackState

READY_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service: its part's name, the module to run, and what it is given.

    settings: RAPPORT_ variables by name, each with the entry of the stack's env that fills it.
    listen, metrics_listen: the variables that say where to listen. target: the entry of the
    stack's env that then says where it does.
    """

    name: str
    module: str
    listen: str
    metrics_listen: str
    target: str
    settings: Mapping[str, str]


LEDGER = ServiceSpec(
    "ledger",
    "services.ledger",
    listen="RAPPORT_LEDGER_LISTEN",
    metrics_listen="RAPPORT_LEDGER_METRICS_LISTEN",
    target="RAPPORT_LEDGER_TARGET",
    settings={
        "RAPPORT_JOURNAL_DSN": "RAPPORT_JOURNAL_DSN",
        "RAPPORT_VAULT_DSN": "RAPPORT_VAULT_DSN",
        "RAPPORT_NATS_URL": "RAPPORT_NATS_URL",
        "RAPPORT_MASTER_KEY_FILE": "RAPPORT_MASTER_KEY_FILE",
        "RAPPORT_POSTGRES_DATA": "RAPPORT_POSTGRES_DATA",
    },
)
PROJECTOR = ServiceSpec(
    "projector",
    "services.projector",
    listen="RAPPORT_PROJECTOR_LISTEN",
    metrics_listen="RAPPORT_PROJECTOR_METRICS_LISTEN",
    target="RAPPORT_PROJECTOR_TARGET",
    settings={
        "RAPPORT_VIEWS_DSN": "RAPPORT_VIEWS_DSN",
        "RAPPORT_VAULT_DSN": "RAPPORT_VAULT_READER_DSN",
        "RAPPORT_NATS_URL": "RAPPORT_NATS_URL",
        "RAPPORT_MASTER_KEY_FILE": "RAPPORT_MASTER_KEY_FILE",
        "RAPPORT_LEDGER_TARGET": "RAPPORT_LEDGER_TARGET",
    },
)


class Service:
    """The process of a service. It says where it listens in a file, once it does; calls block.

    The ports stay the same from one start to the next unless somebody took them meanwhile.
    """

    def __init__(
        self,
        spec: ServiceSpec,
        directory: Path,
        state: StackState,
        inherited: Mapping[str, str],
        on_change: Callable[[], None],
    ) -> None:
        self.name = spec.name
        self.log = directory / "logs" / f"{spec.name}.log"
        self.process: Process | None = None
        self._spec = spec
        self._ready_file = directory / "run" / f"{spec.name}.json"
        self._state = state
        self._inherited = inherited
        self._on_change = on_change

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def outdated(self) -> bool:
        """Whether it runs with settings that are no longer those of the stack."""
        return self._state.fingerprints.get(self.name) != self._fingerprint()

    def find(self) -> Process | None:
        """The process an earlier `up` left running; None when there is none."""
        if not self.alive():
            self.process = Process.adopt(self.name, self._state.processes.get(self.name))
        return self.process

    def start(self) -> None:
        """Returns when it listens. Raises StackError with the last lines of its log."""
        if self.find() is not None:
            assert self.process is not None
            if not self.outdated() and self._read_ready(self.process.pid):
                return
            self.stop()
        self._ready_file.unlink(missing_ok=True)
        self.process = spawn(
            self.name,
            # -P: what lies in the working directory must not shadow a module.
            [sys.executable, "-P", "-m", self._spec.module],
            env=self._env(),
            log=self.log,
        )
        # Written down before it is ready, so that it is found again even if we end right here.
        self._state.processes[self.name] = self.process.identity
        self._state.fingerprints[self.name] = self._fingerprint()
        self._on_change()
        self._wait_ready(self.process)
        self._on_change()

    def stop(self) -> None:
        """SIGTERM, which lets it finish its calls and flush; waits and reaps."""
        if self.process is not None:
            self.process.stop(POLITE)
            self.process = None

    def _wait_ready(self, process: Process) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._read_ready(process.pid):
                return
            if process.wait(POLL_INTERVAL_S):
                raise StackError(
                    f"the {self.name} ended with status {process.exit_code} "
                    f"({self.log}): {tail_of(self.log)}"
                )
        self.stop()
        raise StackError(f"the {self.name} is not ready in time ({self.log}): {tail_of(self.log)}")

    def _read_ready(self, pid: int) -> bool:
        try:
            said = json.loads(self._ready_file.read_text())
        except (OSError, ValueError):
            return False
        if said.get("pid") != pid:
            return False
        target = f"127.0.0.1:{said['grpc']}"
        self._state.endpoints[self.name] = target
        self._state.endpoints[f"{self.name}_metrics"] = f"127.0.0.1:{said['metrics']}"
        self._state.env[self._spec.target] = target
        return True

    def _settings(self) -> dict[str, str]:
        return {name: self._state.env[entry] for name, entry in self._spec.settings.items()}

    def _fingerprint(self) -> str:
        text = json.dumps([self._spec.module, sys.executable, self._settings()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _env(self) -> dict[str, str]:
        return {
            # Nobody balances calls over the replicas of a folder: a stop has nobody to tell first.
            "RAPPORT_DRAIN_NOTICE_S": "0",
            **self._inherited,
            **self._settings(),
            self._spec.listen: self._listen(self.name),
            self._spec.metrics_listen: self._listen(f"{self.name}_metrics"),
            "RAPPORT_READY_FILE": str(self._ready_file),
            "PYTHONUNBUFFERED": "1",
        }

    def _listen(self, endpoint: str) -> str:
        port = int(self._state.endpoints.get(endpoint, ":0").rpartition(":")[2])
        return f"127.0.0.1:{port if port and is_free(port) else 0}"

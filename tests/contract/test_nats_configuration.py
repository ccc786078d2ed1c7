"""What is deployed for one NATS server and for three differs in what it must."""

import re
from pathlib import Path

NATS = Path(__file__).resolve().parents[2] / "deploy/nats"


def test_one_server_and_three_let_the_same_users_do_the_same() -> None:
    one, three = (
        re.search(r"^authorization \{.*?^\}", (NATS / name).read_text(), re.DOTALL | re.MULTILINE)
        for name in ("nats.conf", "cluster.conf")
    )
    assert one is not None
    assert three is not None
    assert one[0] == three[0]

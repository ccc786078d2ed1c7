"""The JetStream stream of one journal."""

from nats.aio.client import Client

from services.runtime import streams
from services.runtime.jetstream import Retention, SequencedStream


class EventStream(SequencedStream):
    """One journal's stream on a connected client: sequence == position."""

    def __init__(
        self,
        client: Client,
        journal: str,
        *,
        replicas: int = 1,
        retention: Retention | None = None,
    ) -> None:
        super().__init__(
            client,
            streams.stream_name(journal),
            subjects=streams.journal_subjects(journal),
            description=f"Rapport journal {journal}: sequence == position",
            replicas=replicas,
            retention=retention,
        )

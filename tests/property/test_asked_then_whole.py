"""The as-of promise leaves nothing out: every query of the projector is asked, or named here."""

from types import SimpleNamespace
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1.capital_service_pb2_grpc import CapitalServiceStub
from rapport.v1.relationship_service_pb2_grpc import RelationshipServiceStub
from rapport.v1.timeline_service_pb2_grpc import TimelineServiceStub

from services.projector.api import SERVICE_NAMES
from services.runtime.clock import FixedClock
from tests.property.companies import Company
from tests.property.questions import attention_questions, questions
from tests.property.test_asked_then import Asked

# Methods that take no day and no knowledge, and why.
EXCEPTED: Final = {
    "ExportBundle": "a copy to take along: all there is when it is made, signed with that time",
    "WatchAttention": "a log read by its numbers: what was told once is told again as it was",
    "LintPolicy": "reads nothing: the answer follows from the document alone",
}


def methods() -> list[MethodDescriptor]:
    """Every method of every service of the projector."""
    pool = descriptor_pool.Default()
    return [m for name in SERVICE_NAMES for m in pool.FindServiceByName(name).methods]


def requests(projector: Any) -> set[str]:
    """The types of everything that the two properties ask."""
    company, asked = Company(projector, 0), Asked(projector, 0)
    # The one thing that is asked only of a history that has it.
    company.incidents = asked.incidents = ["00000000-0000-4000-8000-000000000001"]
    put = [request for _, request, _ in (*questions(company), *attention_questions(company))]
    put += [request for _, request in asked.questions(today=9_500)]
    return {request.DESCRIPTOR.full_name for request in put}


async def test_every_query_of_every_service_is_asked_about_the_past() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        projector = SimpleNamespace(
            channel=channel,
            pool=None,
            clock=FixedClock(0),
            today=9_500,
            capital=CapitalServiceStub(channel),
            timeline=TimelineServiceStub(channel),
            relationships=RelationshipServiceStub(channel),
        )
        asked = requests(projector)
    left_out = {m.name for m in methods() if m.input_type.full_name not in asked}
    assert left_out <= EXCEPTED.keys(), "ask it in tests/property/questions.py"
    assert {m.name for m in methods()} >= EXCEPTED.keys()


def test_every_query_takes_what_may_be_known() -> None:
    assert capital.AsOf.DESCRIPTOR.oneofs_by_name["known_at"].fields
    for method in methods():
        field = method.input_type.fields_by_name.get("as_of")
        of_the_past = field is not None and field.message_type is capital.AsOf.DESCRIPTOR
        assert of_the_past != (method.name in EXCEPTED), method.full_name

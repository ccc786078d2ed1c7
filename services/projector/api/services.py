"""Putting the services on a server."""

from typing import Final

import grpc
from rapport.v1 import attention_service_pb2 as attention
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import people_service_pb2 as people
from rapport.v1 import policy_service_pb2 as policy
from rapport.v1 import portfolio_service_pb2 as portfolio
from rapport.v1 import relationship_service_pb2 as relationship
from rapport.v1 import timeline_service_pb2 as timeline
from rapport.v1.attention_service_pb2_grpc import add_AttentionServiceServicer_to_server
from rapport.v1.capital_service_pb2_grpc import add_CapitalServiceServicer_to_server
from rapport.v1.people_service_pb2_grpc import add_PeopleServiceServicer_to_server
from rapport.v1.policy_service_pb2_grpc import add_PolicyServiceServicer_to_server
from rapport.v1.portfolio_service_pb2_grpc import add_PortfolioServiceServicer_to_server
from rapport.v1.relationship_service_pb2_grpc import add_RelationshipServiceServicer_to_server
from rapport.v1.timeline_service_pb2_grpc import add_TimelineServiceServicer_to_server

from services.projector.api.attention import Attention
from services.projector.api.calls import Dependencies
from services.projector.api.capital import Capital
from services.projector.api.people import People
from services.projector.api.policies import Policies
from services.projector.api.portfolio import Portfolios
from services.projector.api.relationships import Relationships
from services.projector.api.timeline import Timeline

# Their full names, for health and reflection.
SERVICE_NAMES: Final = (
    capital.DESCRIPTOR.services_by_name["CapitalService"].full_name,
    timeline.DESCRIPTOR.services_by_name["TimelineService"].full_name,
    relationship.DESCRIPTOR.services_by_name["RelationshipService"].full_name,
    portfolio.DESCRIPTOR.services_by_name["PortfolioService"].full_name,
    policy.DESCRIPTOR.services_by_name["PolicyService"].full_name,
    people.DESCRIPTOR.services_by_name["PeopleService"].full_name,
    attention.DESCRIPTOR.services_by_name["AttentionService"].full_name,
)


def add_services(server: grpc.aio.Server, dependencies: Dependencies) -> None:
    """Add every service of the projector to a server that has not started.

    The server's edge (services.runtime.server) must name the caller and answer RapportErrors.
    """
    add_CapitalServiceServicer_to_server(Capital(dependencies), server)
    add_TimelineServiceServicer_to_server(Timeline(dependencies), server)
    add_RelationshipServiceServicer_to_server(Relationships(dependencies), server)
    add_PortfolioServiceServicer_to_server(Portfolios(dependencies), server)
    add_PolicyServiceServicer_to_server(Policies(dependencies), server)
    add_PeopleServiceServicer_to_server(People(dependencies), server)
    add_AttentionServiceServicer_to_server(Attention(dependencies), server)


__all__ = ["SERVICE_NAMES", "Dependencies", "add_services"]

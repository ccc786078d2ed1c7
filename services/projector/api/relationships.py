"""RelationshipService: how a relationship stands and what would become of it."""

from rapport.v1.relationship_service_pb2_grpc import RelationshipServiceServicer

from services.projector.api.relationship_briefs import Briefs
from services.projector.api.relationship_forecasts import Forecasts
from services.projector.api.relationship_incidents import Incidents
from services.projector.api.relationship_measures import Measures


class Relationships(Measures, Forecasts, Incidents, Briefs, RelationshipServiceServicer):
    """The handlers of RelationshipService; errors are RapportErrors, which the edge answers."""

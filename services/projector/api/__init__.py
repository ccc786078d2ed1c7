"""The services of the projector: from requests to questions, from answers to messages."""

from services.projector.api.services import SERVICE_NAMES, Dependencies, add_services
from services.projector.api.tenants import LedgerTenants, TenantDirectory

__all__ = ["SERVICE_NAMES", "Dependencies", "LedgerTenants", "TenantDirectory", "add_services"]

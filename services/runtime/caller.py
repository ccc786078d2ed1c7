"""Who calls: tenant and principal, behind the one interface that real authentication replaces."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol

from services.runtime.errors import RapportError, Reason
from services.runtime.names import InvalidName, is_service, parse_principal, parse_tenant

TENANT_KEY: Final = "x-rapport-tenant"
PRINCIPAL_KEY: Final = "x-rapport-principal"

type Metadata = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and whether that was proven or only said. `tenant` is None when none was named."""

    tenant: str | None
    principal: str
    verified: bool

    @property
    def is_service(self) -> bool:
        """Whether the principal is a service."""
        return is_service(self.principal)

    def require_tenant(self) -> str:
        """The tenant; CREDENTIALS_MISSING when none was named."""
        if self.tenant is None:
            raise _missing(TENANT_KEY, "is missing")
        return self.tenant

    def require_service(self) -> None:
        """SERVICE_PRINCIPAL_REQUIRED unless the principal is a service."""
        if not self.is_service:
            raise RapportError(
                Reason.SERVICE_PRINCIPAL_REQUIRED,
                "only principals services/{name} may do this",
            )


class CallerIdentifier(Protocol):
    """Finds out who calls."""

    async def identify(self, metadata: Metadata) -> Caller:
        """The caller named or proven by a call's metadata; CREDENTIALS_MISSING if nobody is."""
        ...


class MetadataIdentifier:
    """Believes the metadata `x-rapport-principal` and `x-rapport-tenant`: unverified."""

    async def identify(self, metadata: Metadata) -> Caller:
        """The principal, which must be there, and the tenant, which may be."""
        principal = metadata.get(PRINCIPAL_KEY, "")
        if not principal:
            raise _missing(PRINCIPAL_KEY, "is missing")
        tenant = metadata.get(TENANT_KEY, "")
        return Caller(
            tenant=_parsed_tenant(tenant) if tenant else None,
            principal=_parsed_principal(principal),
            verified=False,
        )


_CURRENT: Final[ContextVar[Caller]] = ContextVar("rapport_caller")


def current_caller() -> Caller:
    """The caller of the RPC this task answers; set by services.runtime.server."""
    return _CURRENT.get()


def set_current_caller(caller: Caller) -> None:
    """Name the caller of the RPC this task answers."""
    _CURRENT.set(caller)


def _parsed_principal(value: str | bytes) -> str:
    try:
        return parse_principal(str(value))
    except InvalidName as error:
        raise _missing(PRINCIPAL_KEY, f"is malformed: {error}") from None


def _parsed_tenant(value: str | bytes) -> str:
    try:
        return parse_tenant(str(value))
    except InvalidName as error:
        raise _missing(TENANT_KEY, f"is malformed: {error}") from None


def _missing(key: str, what: str) -> RapportError:
    return RapportError(Reason.CREDENTIALS_MISSING, f"metadata {key} {what}", metadata={"key": key})

"""Tenants and journals: created explicitly, listed by name."""

from typing import Final

from rapport.v1 import ledger_service_pb2 as pb

from services.ledger.api.failures import journal_unknown
from services.ledger.api.parts import Parts
from services.ledger.api.presenting import timestamp
from services.ledger.domain.events import JournalRow, TenantRow
from services.ledger.journal.outcomes import JournalUnknown
from services.runtime.errors import RapportError, Reason, invalid
from services.runtime.names import parse_journal, parse_tenant
from services.runtime.page_tokens import make_token, page_size_of, read_token, request_key
from services.runtime.payloads import rules
from services.runtime.payloads.checking import Found, add
from services.runtime.payloads.rules import REQUIRED

DEFAULT_JOURNAL: Final = "main"

_tenant: Final = rules.named(parse_tenant)
_journal: Final = rules.named(parse_journal)


async def create_tenant(parts: Parts, request: pb.CreateTenantRequest) -> pb.CreateTenantResponse:
    """Create a tenant pinned to a journal, or answer with the one that is pinned there already."""
    found: Found = []
    add(found, "tenant", _tenant(request.tenant) if request.tenant else REQUIRED)
    add(found, "journal", _journal(request.journal) if request.journal else None)
    if found:
        raise invalid(found)
    journal = request.journal or DEFAULT_JOURNAL
    try:
        row, created = await parts.journal.create_tenant(request.tenant, journal)
    except JournalUnknown:
        raise journal_unknown("journal", journal) from None
    if row.journal != journal:
        raise RapportError(
            Reason.TENANT_EXISTS,
            f"the tenant exists in journal {row.journal}; a tenant never moves",
            metadata={"tenant": row.tenant, "journal": row.journal},
        )
    return pb.CreateTenantResponse(tenant=_tenant_of(row), created=created)


async def list_tenants(parts: Parts, request: pb.ListTenantsRequest) -> pb.ListTenantsResponse:
    """A page of tenants."""
    size, key = page_size_of(request.page_size), request_key("ListTenants", None, request)
    after = _after(request.page_token, key)
    rows = await parts.journal.list_tenants(after, size + 1)
    return pb.ListTenantsResponse(
        tenants=[_tenant_of(row) for row in rows[:size]],
        next_page_token=make_token(key, [rows[size - 1].tenant]) if len(rows) > size else "",
    )


async def create_journal(
    parts: Parts, request: pb.CreateJournalRequest
) -> pb.CreateJournalResponse:
    """Create a journal."""
    found: Found = []
    add(found, "journal", _journal(request.journal) if request.journal else REQUIRED)
    if found:
        raise invalid(found)
    row, created = await parts.journal.create_journal(request.journal)
    if not created:
        raise RapportError(
            Reason.JOURNAL_EXISTS, "the journal exists", metadata={"journal": row.journal}
        )
    return pb.CreateJournalResponse(journal=_journal_of(row))


async def list_journals(parts: Parts, request: pb.ListJournalsRequest) -> pb.ListJournalsResponse:
    """A page of journals."""
    size, key = page_size_of(request.page_size), request_key("ListJournals", None, request)
    after = _after(request.page_token, key)
    rows = await parts.journal.list_journals(after, size + 1)
    return pb.ListJournalsResponse(
        journals=[_journal_of(row) for row in rows[:size]],
        next_page_token=make_token(key, [rows[size - 1].journal]) if len(rows) > size else "",
    )


def _after(token: str, key: bytes) -> str:
    if not token:
        return ""
    (after,) = read_token(token, key, [str])
    return str(after)


def _tenant_of(row: TenantRow) -> pb.Tenant:
    return pb.Tenant(
        tenant=row.tenant, journal=row.journal, created_at=timestamp(row.created_at_us)
    )


def _journal_of(row: JournalRow) -> pb.Journal:
    return pb.Journal(
        journal=row.journal,
        incarnation=row.incarnation,
        head_position=row.head,
        created_at=timestamp(row.created_at_us),
        first_position=row.detached_through + 1,
    )

"""`rapport tenant` and `rapport journal`: who has books, and where they stand.

`journal restored` is added to the same group by the operator's package:
`add(group(app, "journal"), "restored", …)`.
"""

from typing import Annotated, Any

import typer

from rapport.cli.command import Call, add, group
from rapport.cli.event_output import iso
from rapport.cli.output import table
from rapport.v1 import ledger_service_pb2 as ledger

Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9 and -, up to 63.")]


def register(app: typer.Typer) -> None:
    """Adds the groups `tenant` and `journal`."""
    tenants = group(app, "tenant", "Tenants: isolated customers of the service.")
    add(tenants, "create", create_tenant)
    add(tenants, "list", list_tenants)
    journals = group(app, "journal", "Journals: the logs that events stand in.")
    add(journals, "create", create_journal)
    add(journals, "list", list_journals)


async def create_tenant(
    call: Call,
    name: Name,
    journal: Annotated[str, typer.Option(help="The journal to pin it to. Absent: main.")] = "",
) -> None:
    """Create a tenant and pin it to a journal. Repeating it is safe."""
    async with call.client(above_tenants=True) as client:
        answer = await client.create_tenant(name, journal=journal)
    tenant = answer.tenant
    word = "created" if answer.created else "was there already"
    call.answer(
        tenant_document(tenant) | {"created": answer.created},
        lambda: f"tenant [bold]{tenant.tenant}[/] {word}, in journal {tenant.journal}",
    )


async def list_tenants(call: Call) -> None:
    """All tenants by name."""
    async with call.client(above_tenants=True) as client:
        found = [tenant async for tenant in client.tenants()]
    listed = table("tenant", "journal", "created")
    for tenant in found:
        listed.add_row(tenant.tenant, tenant.journal, iso(tenant.created_at))
    call.answer([tenant_document(tenant) for tenant in found], lambda: listed)


async def create_journal(call: Call, name: Name) -> None:
    """Create a journal."""
    async with call.client(above_tenants=True) as client:
        journal = await client.create_journal(name)
    call.answer(journal_document(journal), lambda: f"journal [bold]{journal.journal}[/] created")


async def list_journals(call: Call) -> None:
    """All journals by name, with their heads."""
    async with call.client(above_tenants=True) as client:
        found = [journal async for journal in client.journals()]
    listed = table("journal", "head", "incarnation", "created", right=("head",))
    for journal in found:
        listed.add_row(
            journal.journal,
            str(journal.head_position),
            journal.incarnation,
            iso(journal.created_at),
        )
    call.answer([journal_document(journal) for journal in found], lambda: listed)


def tenant_document(tenant: ledger.Tenant) -> dict[str, Any]:
    """A tenant for programs."""
    return {
        "tenant": tenant.tenant,
        "journal": tenant.journal,
        "created_at": iso(tenant.created_at),
    }


def journal_document(journal: ledger.Journal) -> dict[str, Any]:
    """A journal for programs."""
    return {
        "journal": journal.journal,
        "incarnation": journal.incarnation,
        "head_position": journal.head_position,
        "created_at": iso(journal.created_at),
    }

"""Every question that a company is asked about its past: the method, the request and who asks."""

import json
from collections.abc import Iterator
from itertools import product

from google.protobuf.message import Message
from rapport.events.v1 import people_pb2, touchpoint_pb2
from rapport.v1 import attention_service_pb2 as attention
from rapport.v1 import capital_service_pb2 as capital
from rapport.v1 import people_service_pb2 as people
from rapport.v1 import policy_service_pb2 as policies
from rapport.v1 import portfolio_service_pb2 as portfolio
from rapport.v1 import timeline_service_pb2 as timeline

from services.runtime.policy import default_policy
from tests.property.companies import IMPORTER, ME, PARTIES, TEAMS, Asked, Company, small_groups
from tests.property.histories import PEOPLE
from tests.support.views import relationship


def questions(told: Company) -> list[Asked]:
    """Every question but those of attention."""
    lines = [(told.timeline.ListTimeline, each, IMPORTER) for each in _timelines(told)]
    return [*_rest(told), *lines, *_whose(told), *_policies(told)]


def _timelines(told: Company) -> Iterator[timeline.ListTimelineRequest]:
    """Timelines of everybody, by either time, folded and not, page by page; one of each filter."""
    names = [relationship(a, b) for a in PEOPLE for b in PEOPLE if a < b]
    parents = (*names, *PARTIES, *(f"teams/{team}" for team in TEAMS))
    orders = (timeline.TIMELINE_ORDER_OCCURRED, timeline.TIMELINE_ORDER_RECORDED)
    for parent in parents:
        for order, fold in product(orders, (False, True)):
            yield timeline.ListTimelineRequest(
                parent=parent,
                order_by=order,
                fold_occasions=fold,
                include_voided=fold == (order == timeline.TIMELINE_ORDER_RECORDED),
                page_size=7,
            )
    narrow = [
        {"kinds": ["call", "incident"]},
        {"channels": ["email", "x"]},
        {"initiatives": [touchpoint_pb2.INITIATIVE_PROACTIVE]},
        {"initiatives": [touchpoint_pb2.INITIATIVE_RESPONSIVE], "fold_occasions": True},
        {"initiator_side": people_pb2.SIDE_INTERNAL},
        {"initiator_side": people_pb2.SIDE_EXTERNAL, "fold_occasions": True},
        *({"incident": incident, "include_voided": True} for incident in told.incidents[:4]),
    ]
    for parent, more in product((names[0], *PARTIES, "teams/sales"), narrow):
        yield timeline.ListTimelineRequest(parent=parent, page_size=7, **more)  # type: ignore[arg-type]


def _whose(told: Company) -> list[Asked]:
    """Months, parties, links and lists."""
    asked: list[tuple[object, Message]] = []
    names = [relationship(a, b) for a in PEOPLE for b in PEOPLE if a < b]
    for parent in (*names, *PARTIES, *(f"teams/{team}" for team in TEAMS)):
        for months in (0, 2):
            summed = timeline.SummarizeTimelineRequest(parent=parent, months=months)
            asked.append((told.timeline.SummarizeTimeline, summed))
    for party in PARTIES:
        asked.append((told.timeline.GetParty, timeline.GetPartyRequest(party=party)))
        if party != PARTIES[-1]:
            linked = people.ListLinksRequest(person=party, page_size=2)
            asked.append((told.people.ListLinks, linked))
    asked += [
        (told.timeline.ListParties, each)
        for each in (
            timeline.ListPartiesRequest(page_size=2),
            timeline.ListPartiesRequest(side=people_pb2.SIDE_INTERNAL, page_size=1),
            timeline.ListPartiesRequest(tier="close", page_size=1),
            timeline.ListPartiesRequest(team="sales", kind=people_pb2.PARTY_KIND_PERSON),
        )
    ]
    asked.append((told.people.ListLinks, people.ListLinksRequest(page_size=2)))
    proposed = people.ListLinkProposalsRequest(page_size=1)
    asked.append((told.people.ListLinkProposals, proposed))
    asked.append((told.people.ListWatchLists, people.ListWatchListsRequest()))
    return [(call, request, IMPORTER) for call, request in asked]


def _policies(told: Company) -> list[Asked]:
    """Which policies there are, and what they say."""
    service = told.projector.capital
    lint = policies.LintPolicyRequest(policy_json=default_policy().canonical_json)
    return [
        (told.policies.ListPolicies, policies.ListPoliciesRequest(), ME),
        (told.policies.LintPolicy, lint, ME),
        (service.GetPolicy, capital.GetPolicyRequest(), ME),
        (service.GetPolicy, capital.GetPolicyRequest(policy="default@3"), ME),
        (service.ListKinds, capital.ListKindsRequest(), ME),
    ]


def _rest(told: Company) -> list[Asked]:
    """The questions of capital, policies, portfolios, and who is where."""
    service, whole = told.projector.capital, f"tenants/{told.tenant}"
    names = [relationship(a, b) for a in PEOPLE for b in PEOPLE if a < b]
    asked: list[Asked] = []
    for name in names:
        got, explained = service.GetBalance, service.ExplainBalance
        asked.append((got, capital.GetBalanceRequest(relationship=name), ME))
        asked.append((explained, capital.ExplainBalanceRequest(relationship=name), ME))
    many = capital.BatchGetBalancesRequest(relationships=names)
    asked.append((service.BatchGetBalances, many, ME))
    for person in PARTIES[:-1]:
        for order in capital.BalanceOrder.values():
            listed = capital.ListBalancesRequest(person=person, order_by=order)
            asked.append((service.ListBalances, listed, ME))
        diffed = policies.DiffPolicyRequest(person=person, policy="default@1")
        asked.append((told.policies.DiffPolicy, diffed, ME))
    other = json.dumps(small_groups() | {"version": 10})
    diffed = policies.DiffPolicyRequest(policy_json=other)
    asked.append((told.policies.DiffPolicy, diffed, ME))
    for parent in (*PARTIES[:-1], *(f"teams/{team}" for team in TEAMS), whole):
        sums = portfolio.GetPortfolioRequest(parent=parent)
        asked.append((told.portfolio.GetPortfolio, sums, ME))
        if parent != whole:
            weeks = portfolio.GetProgrammeRequest(parent=parent)
            asked.append((told.portfolio.GetProgramme, weeks, ME))
    for team in ("", *TEAMS):
        building = portfolio.ListBuildersRequest(team=team)
        asked.append((told.portfolio.ListBuilders, building, ME))
    asked.append((told.portfolio.GetParity, portfolio.GetParityRequest(), ME))
    account = portfolio.GetAccountRequest(organization=PARTIES[-1])
    asked.append((told.portfolio.GetAccount, account, ME))
    for party in PARTIES:
        for ended in (False, True):
            there = people.ListAffiliationsRequest(party=party, include_ended=ended)
            asked.append((told.people.ListAffiliations, there, ME))
    # Who recorded a text may always read it. What others may follows who they are today.
    watched = people.GetWatchListRequest(list="some")
    asked.append((told.people.GetWatchList, watched, IMPORTER))
    asked.append((told.people.GetWatchList, people.GetWatchListRequest(list="some", lines=0), ME))
    return asked


def attention_questions(told: Company) -> list[Asked]:
    """What everybody should look after."""
    asked: list[Asked] = []
    for person in PARTIES[:-1]:
        for everything in (False, True):
            day = attention.ListAttentionRequest(person=person, all=everything)
            asked.append((told.attention.ListAttention, day, ME))
        digest = attention.GetDigestRequest(person=person)
        asked.append((told.attention.GetDigest, digest, ME))
    watched = attention.ListAttentionRequest(person=ME, watch_list="some")
    asked.append((told.attention.ListAttention, watched, ME))
    return asked

"""CapitalService over real gRPC and real Postgres: balances and receipts."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from rapport.v1 import capital_service_pb2 as capital

from tests.support.databases import Database
from tests.support.views import (
    TENANT,
    Running,
    adopt,
    caller,
    correct,
    date_of,
    link,
    relationship,
    running_projector,
    touch,
    unlink,
    void,
)


@pytest.fixture
async def projector(database: Database) -> AsyncIterator[Running]:
    async with running_projector(database) as running:
        yield running


async def balance(
    projector: Running, a: str, b: str, **as_of: object
) -> capital.GetBalanceResponse:
    on = as_of.pop("on", None)
    message = capital.AsOf(**as_of)  # type: ignore[arg-type]
    if on is not None:
        message.on.CopyFrom(date_of(str(on)))
    answer: capital.GetBalanceResponse = await projector.capital.GetBalance(
        capital.GetBalanceRequest(relationship=f"relationships/{a}~{b}", as_of=message),
        metadata=caller(),
    )
    return answer


async def test_a_balance_names_its_day_policy_and_position(projector: Running) -> None:
    await projector.add(touch("a", "b", "meeting.in_person"), "2026-06-01T09:00:00Z")
    await projector.settle()
    answer = await balance(projector, "b", "a")
    assert answer.balance.relationship == "relationships/a~b"
    assert (answer.balance.know_mp, answer.balance.care_mp) == (8000, 8000)
    assert answer.balance.buffer_mp == 10_000
    assert answer.balance.contact_days == 1
    assert answer.balance.last_contact_on == date_of("2026-06-01")
    assert answer.balance.age_days == 0
    assert answer.computed.on == date_of("2026-06-01")
    assert answer.computed.position == 1
    assert answer.computed.journal == "main"
    assert answer.computed.policy.startswith("default@1#")


async def test_a_pair_nobody_has_touched_has_an_empty_balance(projector: Running) -> None:
    answer = await balance(projector, "nobody", "noone")
    assert answer.balance.know_mp == 0
    assert answer.balance.care_mp == 0
    assert not answer.balance.HasField("age_days")
    assert not answer.balance.HasField("last_contact_on")
    assert answer.computed.position == 0


async def test_views_that_were_set_back_are_waited_for_again(projector: Running) -> None:
    await projector.add(touch("a", "b", "meeting.in_person"), "2026-06-01T09:00:00Z")
    await projector.settle()
    # Said before they were set back.
    projector.positions.reached("main", 2)
    asked = asyncio.ensure_future(balance(projector, "a", "b", min_position=2))
    await asyncio.wait([asked], timeout=0.1)
    assert not asked.done()
    await projector.add(touch("a", "b", "meeting.in_person"), "2026-06-01T10:00:00Z")
    await projector.settle()
    assert (await asked).computed.position == 2


async def test_another_day_is_folded_and_the_future_decays(projector: Running) -> None:
    await projector.add(touch("a", "b", "common_ground.found"), "2026-05-01T09:00:00Z")
    await projector.settle()
    assert (await balance(projector, "a", "b", on="2026-04-30")).balance.care_mp == 0
    assert (await balance(projector, "a", "b", on="2026-05-01")).balance.care_mp == 4000
    assert (await balance(projector, "a", "b", on="2027-05-01")).balance.care_mp == 2000


async def test_known_at_a_time_is_known_at_its_position(projector: Running) -> None:
    first = await projector.add(touch("a", "b", "call"))
    await projector.add(touch("a", "b", "call"), "2026-05-02T09:00:00Z")
    await projector.add(void(first))
    await projector.settle()
    by_position = await balance(projector, "a", "b", on="2026-05-02", known_at_position=1)
    assert by_position.computed.position == 1
    assert by_position.balance.contact_days == 1
    both = await balance(projector, "a", "b", on="2026-05-02", known_at_position=2)
    assert both.balance.know_mp > 7000
    assert (await balance(projector, "a", "b", on="2026-05-02")).balance.know_mp == 4000
    # The second was recorded at 00:00:02, whatever its own time says.
    at_time = capital.AsOf(on=date_of("2026-05-02"))
    at_time.known_at_time.FromJsonString("2026-05-31T00:00:02.900Z")
    answer = await projector.capital.GetBalance(
        capital.GetBalanceRequest(relationship=relationship("a", "b"), as_of=at_time),
        metadata=caller(),
    )
    assert answer.balance == both.balance
    assert answer.computed.position == 2
    at_time.known_at_time.FromJsonString("2026-05-30T00:00:00Z")
    answer = await projector.capital.GetBalance(
        capital.GetBalanceRequest(relationship=relationship("a", "b"), as_of=at_time),
        metadata=caller(),
    )
    assert answer.computed.position == 0
    assert answer.balance.know_mp == 0


async def test_a_batch_answers_in_its_order_at_one_position(projector: Running) -> None:
    await projector.add(touch("a", "b", "call"), "2026-06-01T09:00:00Z")
    await projector.add(touch("c", "b", "proposal"), "2026-06-01T09:00:00Z")
    await projector.settle()
    answer = await projector.capital.BatchGetBalances(
        capital.BatchGetBalancesRequest(
            relationships=["relationships/c~b", "relationships/a~b", "relationships/a~z"]
        ),
        metadata=caller(),
    )
    assert [each.relationship for each in answer.balances] == [
        "relationships/b~c",
        "relationships/a~b",
        "relationships/a~z",
    ]
    assert [each.know_mp for each in answer.balances] == [6000, 4000, 0]
    assert answer.computed.position == 2


async def test_linked_ids_are_one_human_until_they_are_unlinked(projector: Running) -> None:
    await projector.add(touch("amy", "bob", "call"), "2026-06-01T09:00:00Z")
    await projector.add(touch("amy2", "bob", "call"), "2026-06-01T10:00:00Z")
    await projector.add(touch("amy2", "amy", "call"), "2026-06-01T10:00:00Z")
    linked = await projector.add(link("amy2", "amy"))
    await projector.settle()
    for member in ("amy", "amy2"):
        answer = await balance(projector, member, "bob")
        assert answer.balance.relationship == "relationships/amy~bob"
        assert answer.balance.know_mp == 8000
        # Two calls on one day are one contact-day of the human.
        assert answer.balance.contact_days == 1
    own = await balance(projector, "amy", "amy2")
    assert own.balance.relationship == "relationships/amy~amy2"
    assert own.balance.know_mp == 0
    assert (await balance(projector, "amy2", "bob", known_at_position=3)).balance.know_mp == 4000
    await projector.add(unlink(linked, "amy", "amy2"))
    await projector.settle()
    after = await balance(projector, "amy2", "bob")
    assert after.balance.relationship == "relationships/amy2~bob"
    assert after.balance.know_mp == 4000
    assert (await balance(projector, "amy", "bob", known_at_position=4)).balance.know_mp == 8000


async def test_a_receipt_adds_up_and_says_what_weighs_nothing(projector: Running) -> None:
    incident = await projector.add(
        touch("b", "a", "incident", severity=2, attribution=2, channel="email"),
        "2026-05-01T09:00:00Z",
    )
    for minute, kind in enumerate(("social.like", "social.like", "social.comment")):
        await projector.add(touch("a", "b", kind), f"2026-05-20T09:0{minute}:00Z")
    await projector.add(
        touch("a", "b", "recovery", resolves=incident, recovery_step=1), "2026-05-01T10:00:00Z"
    )
    again = await projector.add(
        touch("a", "b", "recovery", resolves=incident, recovery_step=1), "2026-05-02T10:00:00Z"
    )
    lost = await projector.add(
        touch("a", "b", "recovery", resolves="00000000-0000-4000-8000-00000000dead",
              recovery_step=1),
        "2026-05-02T10:00:00Z",
    )  # fmt: skip
    unheard = await projector.add(touch("a", "b", "unheard.of"))
    call = await projector.add(touch("a", "b", "call", sentiment=2), "2026-05-03T10:00:00Z")
    fixed = await projector.add(correct(call, touch("a", "b", "call", sentiment=1)))
    strange = await projector.add(correct(call, touch("a", "x", "call")))
    early = await projector.add(
        correct("00000000-0000-4000-8000-00000000beef", touch("a", "b", "call"))
    )
    gone = await projector.add(touch("a", "b", "call"))
    await projector.add(void(gone))
    await projector.settle()
    answer = await projector.capital.ExplainBalance(
        capital.ExplainBalanceRequest(relationship="relationships/b~a"), metadata=caller()
    )
    assert answer.balance == (await balance(projector, "a", "b")).balance
    assert sum(line.know_left_mp for line in answer.lines) == answer.balance.know_mp
    assert sum(line.care_left_mp for line in answer.lines) == answer.balance.care_mp
    assert {each.event_id: each.reason for each in answer.ineffective} == {
        again: "step_repeated",
        lost: "step_without_incident",
        unheard: "kind_unknown",
        strange: "other_people",
        early: "target_unknown",
        gone: "voided",
    }
    assert [line.occurred_at.seconds for line in answer.lines] == sorted(
        line.occurred_at.seconds for line in answer.lines
    )
    lines = {line.event_id: line for line in answer.lines}
    assert [(f.name, f.know_per_mille) for f in lines[incident].factors] == [("attribution", 600)]
    assert lines[incident].base_care_mp == -10_000
    assert lines[incident].care_mp == -6000
    (refund,) = [line for line in answer.lines if line.kind == "recovery"]
    assert [(f.name, f.care_per_mille) for f in refund.factors] == [
        ("share", 150),
        ("timeliness", 1000),
        ("repeat", 1000),
    ]
    assert (refund.base_care_mp, refund.care_mp) == (6000, 900)
    assert refund.day == date_of("2026-05-01")
    assert [(f.name, f.care_per_mille) for f in lines[call].factors] == [("sentiment", 1100)]
    saturated = [
        factor.care_per_mille
        for line in answer.lines
        for factor in line.factors
        if factor.name == "saturation"
    ]
    assert sorted(saturated) == [400, 600, 1000]
    assert answer.know_exact.count("/") == 1
    assert fixed not in lines
    foreign = await projector.capital.ExplainBalance(
        capital.ExplainBalanceRequest(relationship="relationships/a~x"), metadata=caller()
    )
    assert [(each.event_id, each.reason) for each in foreign.ineffective] == [
        (strange, "other_people")
    ]


async def test_a_receipt_centuries_away_leaves_the_exact_value_out(projector: Running) -> None:
    await projector.add(touch("a", "b", "social.like"))
    await projector.settle()
    request = capital.ExplainBalanceRequest(relationship="relationships/a~b")
    request.as_of.on.CopyFrom(date_of("9999-12-31"))
    answer = await projector.capital.ExplainBalance(request, metadata=caller())
    assert answer.balance.care_mp == 0
    assert answer.care_exact == ""


async def test_the_receipt_of_one_human_with_themselves_lists_every_line_as_same_human(
    projector: Running,
) -> None:
    talk = await projector.add(touch("amy", "amy2", "call"))
    await projector.add(link("amy", "amy2"))
    await projector.settle()
    answer = await projector.capital.ExplainBalance(
        capital.ExplainBalanceRequest(relationship="relationships/amy2~amy"), metadata=caller()
    )
    assert [(each.event_id, each.reason) for each in answer.ineffective] == [(talk, "same_human")]
    assert not answer.lines


async def test_a_policy_holds_until_its_adoption_is_taken_back(projector: Running) -> None:
    default = await projector.capital.GetPolicy(capital.GetPolicyRequest(), metadata=caller())
    ours = default.policy.policy_json.replace('"policy":"default"', '"policy":"ours"')
    ours = ours.replace('"call":{"care":4000', '"call":{"care":9000')
    await projector.add(touch("a", "b", "call"), "2026-06-01T09:00:00Z")
    adopted = await projector.add(adopt(ours))
    await projector.settle()
    for _ in range(2):  # before its document is known here, and after
        in_force = await balance(projector, "a", "b")
        assert in_force.balance.care_mp == 9000
        # What is known at a position is read in a transaction.
        assert in_force == await balance(projector, "a", "b", known_at_position=projector.head)
    await projector.add(void(adopted))
    await projector.settle()
    taken_back = await balance(projector, "a", "b")
    assert taken_back.balance.care_mp == 4000
    assert taken_back == await balance(projector, "a", "b", known_at_position=projector.head)


async def test_a_policy_holds_from_its_day_and_can_be_named(projector: Running) -> None:
    default = await projector.capital.GetPolicy(capital.GetPolicyRequest(), metadata=caller())
    assert (default.policy.name, default.policy.version) == ("default", 1)
    changed = (
        default.policy.policy_json.replace('"policy":"default"', '"policy":"ours"')
        .replace('"effective_from":"2000-01-01"', '"effective_from":"2026-05-15"')
        .replace('"call":{"care":4000', '"call":{"care":9000')
    )
    await projector.add(touch("a", "b", "call"), "2026-06-01T09:00:00Z")
    await projector.add(adopt(changed))
    await projector.settle(turn=False)
    today = await balance(projector, "a", "b")
    assert today.computed.policy.startswith("ours@1#")
    assert today.balance.care_mp == 9000
    named = await balance(projector, "a", "b", policy="default@1")
    assert named.computed.policy == default.policy.policy
    assert named.balance.care_mp == 4000
    before = await balance(projector, "a", "b", known_at_position=1)
    assert before.balance.care_mp == 4000
    label = today.computed.policy
    found = await projector.capital.GetPolicy(
        capital.GetPolicyRequest(policy=label), metadata=caller()
    )
    assert found.policy.policy_json == changed
    earlier = await projector.capital.GetPolicy(
        capital.GetPolicyRequest(on=date_of("2026-05-14")), metadata=caller()
    )
    assert earlier.policy == default.policy
    kinds = await projector.capital.ListKinds(
        capital.ListKindsRequest(policy="ours@1"), metadata=caller()
    )
    assert kinds.policy == label
    by_name = {kind.kind: kind for kind in kinds.kinds}
    assert list(by_name) == sorted(by_name)
    assert by_name["call"].care_mp == 9000
    assert by_name["call"].effort
    assert by_name["social.like"].saturates == "digital"
    assert by_name["email.bulk"].default_initiative == 4
    assert by_name["call"].default_initiative == 1


async def test_a_tenant_sees_only_its_own(projector: Running) -> None:
    await projector.add(touch("a", "b", "call"), "2026-06-01T09:00:00Z", tenant="other")
    await projector.settle()
    assert (await balance(projector, "a", "b")).balance.know_mp == 0
    assert TENANT == "acme"

"""An organisation through its people, by hand."""

from services.projector.domain.collective.account import account
from tests.unit.collective.people import POLICY, stake

# Bob and Cat are with Acme, Dan is not.
ACME = frozenset({"bob", "cat"})
ANN_BOB = stake("ann", "bob", 8_000, 12_000, 14_000)
IDA_BOB = stake("ida", "bob", 0, 3_000, 3_000)
IDA_CAT = stake("ida", "cat", 4_000, 2_000, 3_000)
ANN_DAN = stake("ann", "dan", 9_000, 90_000, 92_250)


def test_an_account_is_the_sum_over_the_people_affiliated_that_day() -> None:
    told = account([ANN_BOB, IDA_BOB, IDA_CAT, ANN_DAN], ACME, POLICY)

    assert told.sums.know_mp == 12_000  # 8000 + 0 + 4000
    assert told.sums.care_mp == 17_000  # 12000 + 3000 + 2000
    assert told.sums.buffer_mp == 20_000  # 14000 + 3000 + 3000
    assert [(held.person, held.share_per_mille) for held in told.by_internal] == [
        ("ann", 700),  # 14000 / 20000
        ("ida", 300),
    ]
    assert [(held.person, held.share_per_mille) for held in told.by_external] == [
        ("bob", 850),  # 17000 / 20000
        ("cat", 150),
    ]


def test_it_is_single_threaded_above_70_percent_and_says_who_holds_it() -> None:
    told = account([ANN_BOB, IDA_BOB, IDA_CAT], ACME, POLICY)

    # Ann's 700 per mille are not above 700; Bob's 850 are.
    assert told.single_threaded
    assert told.single_thread == "bob"
    assert [held.person for held in told.threads] == ["bob"]


def test_of_equal_threads_ours_is_named_first() -> None:
    told = account([ANN_BOB], ACME, POLICY)

    assert [held.person for held in told.threads] == ["ann", "bob"]
    assert told.single_thread == "ann"


def test_an_account_of_many_threads_hangs_on_nobody() -> None:
    told = account([ANN_BOB, stake("ida", "cat", 0, 14_000, 14_000)], ACME, POLICY)

    assert not told.single_threaded
    assert told.single_thread is None


def test_only_pairs_of_one_of_ours_and_one_of_theirs_make_an_account() -> None:
    among_them = stake("bob", "cat", 0, 5_000, 5_000)
    nobody_knows_zed = stake("bob", "zed", 0, 5_000, 5_000)

    told = account([ANN_BOB, among_them, nobody_knows_zed], ACME, POLICY)

    assert [held.pair for held in told.stakes] == [("ann", "bob")]
    assert told.without_side == ("zed",)


def test_an_organisation_nobody_has_touched_is_empty() -> None:
    told = account([ANN_DAN], ACME, POLICY)

    assert told.sums.relationships == 0
    assert not told.single_threaded

import pytest

from web.bench.paired import compared


def test_a_pair_counts_where_one_alone_is_right():
    found = compared([True, True, False, True], [True, False, True, False])
    assert (found["gained"], found["lost"], found["difference"]) == (2, 1, 25.0)
    assert found["standard_error"] == pytest.approx(100 * (2.75 / 3 / 4) ** 0.5, abs=0.01)
    assert not found["worse"]


def test_one_question_lost_is_within_one_standard_error_and_two_of_two_are_not():
    n = 50
    assert not compared([False] + [True] * (n - 1), [True] * n)["worse"]
    assert compared([False] * 2 + [True] * (n - 2), [True] * n)["worse"]
    assert not compared([True] * n, [False] * 2 + [True] * (n - 2))["worse"]


def test_ways_that_never_differ_have_no_chance_between_them():
    assert compared([True, False], [True, False]) == {
        "gained": 0, "lost": 0, "difference": 0.0, "standard_error": 0.0, "worse": False,
    }  # fmt: skip


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match="no questions"):
        compared([], [])
    with pytest.raises(ValueError, match="shorter"):
        compared([True, True], [True])

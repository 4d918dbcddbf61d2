"""Numbers are given out by a tenant, each once, whoever asks at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.domain.identity.portal import NOTHING, next_number, number_of, written


def numbers(lab, *kinds: str) -> list[int]:
    with lab.database.begin(lab.system) as tx:
        return [next_number(tx, kind) for kind in kinds]


def test_each_kind_of_each_tenant_is_counted_for_itself(lab, zenith):
    assert numbers(lab, "job", "job", "data", "job") == [1, 2, 1, 3]
    assert numbers(zenith, "job", "data") == [1, 1]
    assert numbers(lab, "data") == [2]


def test_many_who_ask_at_once_for_several_kinds_get_different_ones_and_none_waits_for_ever(lab):
    orders = [("job", "data"), ("data", "job")] * 10

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda kinds: dict(zip(kinds, numbers(lab, *kinds), strict=True)), orders))

    for kind in ("job", "data"):
        assert sorted(each[kind] for each in found) == list(range(1, 21))


def test_a_number_that_was_asked_for_in_vain_may_be_given_again(lab):
    with pytest.raises(ZeroDivisionError), lab.database.begin(lab.system) as tx:
        next_number(tx, "job")
        raise ZeroDivisionError

    assert numbers(lab, "job") == [1]


def test_ids_have_eleven_digits():
    assert written(42) == "00000000042"
    assert number_of("00000000042") == 42


@pytest.mark.parametrize(
    "text", ["", "42", "0000000004x", "000000000042", "-0000000042", "٠٠٠٠٠٠٠٠٠٤٢", "00000000042\n"]
)
def test_what_is_no_id_finds_nothing(text):
    assert number_of(text) == NOTHING

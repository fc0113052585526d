import pytest
from django.core.exceptions import ValidationError

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("temperature", [0, 2]), ("top_p", [0.01, 1]), ("top_k", [0, 1000]), ("min_p", [0, 1]),
        ("presence_penalty", [-2, 2]), ("frequency_penalty", [-2, 2]), ("max_tokens", [None, 1]),
        ("seed", [None, 0, 2**32 - 1]), ("stop", [[], ["a"] * 16]), ("system_prompt", ["", "Be brief."]),
    ],
)  # fmt: skip
def test_the_ends_of_the_ranges_are_allowed(registered, field, values):
    for value in values:
        setattr(registered.defaults, field, value)
        registered.defaults.full_clean()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("temperature", [-0.1, 2.1, float("nan"), float("inf")]), ("top_p", [0, 1.1, float("nan")]),
        ("top_k", [-1, 1001]), ("min_p", [-0.1, 1.1]), ("presence_penalty", [-2.1, 2.1]),
        ("frequency_penalty", [-2.1, 2.1]), ("max_tokens", [0, 2**31]), ("seed", [-1, 2**32]),
        ("stop", ["a", [""], [1], {"a": 1}, ["a"] * 17]),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(registered, field, values):
    for value in values:
        setattr(registered.defaults, field, value)
        with pytest.raises(ValidationError) as caught:
            registered.defaults.full_clean()
        assert list(caught.value.message_dict) == [field]


def test_an_emptied_field_means_no_stop_strings(registered):
    registered.defaults.stop = None
    registered.defaults.full_clean()
    assert registered.defaults.stop == []


def test_it_says_whose_defaults_it_is(registered):
    assert str(registered.defaults) == "defaults of tiny"

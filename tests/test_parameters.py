"""Ranges of parameters, and what is said of a value outside of them."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.parameters import check_parameters


def check(value, allowed):
    check_parameters("mine", SimpleNamespace(size=value), size=allowed)


@pytest.mark.parametrize(("value", "allowed"), [(0.5, "[0.5, 1)"), (1, "(0.5, 1]"), (0, "[-1, 1]"), (3, "(0, 1e9]"), ("b", ("a", "b"))])
def test_what_is_allowed(value, allowed):
    check(value, allowed)


@pytest.mark.parametrize(
    ("value", "allowed", "message"),
    [
        (1.0, "[0.5, 1)", r"^mine: size 1.0 must be at least 0.5 and below 1$"),
        (0.5, "(0.5, 1]", r"^mine: size 0.5 must be above 0.5 and at most 1$"),
        (math.nan, "[0, 1]", r"^mine: size nan must be at least 0 and at most 1$"),
        (math.inf, "[0, 1e9]", r"^mine: size inf must be at least 0 and at most 1e9$"),
        ("7", "[0, 9]", r"^mine: size '7' must be at least 0 and at most 9$"),
        (True, "[0, 9]", r"^mine: size True must be at least 0"),
        (None, "[0, 9]", r"^mine: size None must be at least 0"),
        ("vwp", ("vwap", "multiple"), r"^mine: size 'vwp' is none of vwap, multiple; did you mean 'vwap'\?$"),
        ("zzz", ("vwap", "multiple"), r"^mine: size 'zzz' is none of vwap, multiple$"),
        (1.0, ("vwap", "multiple"), r"^mine: size 1.0 is none of vwap, multiple$"),
        (1.0, "0 to 1", r"^mine: the range '0 to 1' of size is no interval; write it as in '\[0, 1\)'$"),
    ],
)
def test_what_is_not(value, allowed, message):
    with pytest.raises(ConfigError, match=message):
        check(value, allowed)


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 5), st.integers(0, 5), st.sampled_from("[("), st.sampled_from("])"))
def test_it_accepts_what_lies_in_the_interval(value, low, width, opens, closes):
    high = low + width
    inside = (value >= low if opens == "[" else value > low) and (value <= high if closes == "]" else value < high)
    try:
        check(value, f"{opens}{low}, {high}{closes}")
    except ConfigError:
        assert not inside
    else:
        assert inside


def test_the_first_that_is_wrong_is_told():
    with pytest.raises(ConfigError, match=r"^mine: b 2 "):
        check_parameters("mine", SimpleNamespace(a=1, b=2, c=3), a="[0, 1]", b="[0, 1]", c="[0, 1]")

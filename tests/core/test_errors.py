from __future__ import annotations

import pickle
import re

import pytest

from drivetrain.core import errors
from drivetrain.core.errors import DrivetrainError, RequestError, UsageError

EVERY = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, DrivetrainError)]


def test_a_message_says_what_was_found_what_was_expected_and_what_to_do():
    error = DrivetrainError("port 8701 is taken.", found="another server", expected="a free port", do="Stop it.")
    assert str(error) == "port 8701 is taken; found another server; expected a free port. Stop it."
    assert str(DrivetrainError("no room")) == "no room."
    assert str(DrivetrainError("wrong", found=0)) == "wrong; found 0."


def test_the_tree_is_the_one_drawn():
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+)", errors.__doc__, re.MULTILINE)
    stack, parents = [], {}
    for lead, name in drawn:
        depth = len(lead) // 4
        stack[depth:] = [name]
        parents[name] = stack[depth - 1] if depth else None
    assert parents == {
        error.__name__: error.__base__.__name__ if error is not DrivetrainError else None for error in EVERY
    }


def test_exit_codes():
    for error in EVERY:
        assert error.exit_code == (2 if issubclass(error, UsageError) else 1)


def test_status_codes():
    found = {error.__name__: error.status for error in EVERY if issubclass(error, RequestError)}
    assert found == {"RequestError": 422, "NotFound": 404, "Overloaded": 429, "NotReady": 503}


def test_a_request_error_names_its_field():
    error = RequestError("no such carrier", field="instances[0].carrier", found="'XX'", expected="text")
    assert error.field == "instances[0].carrier"
    assert str(error) == "no such carrier; found 'XX'; expected text."


@pytest.mark.parametrize("error", EVERY)
def test_errors_are_constructed_alike(error):
    made = error("what", found=1, expected=2, do="Do")
    assert (made.what, made.found, made.expected, made.do) == ("what", 1, 2, "Do")
    assert str(made) == "what; found 1; expected 2. Do."


@pytest.mark.parametrize("error", EVERY)
def test_errors_cross_processes(error):
    made = error("what", found=1, expected=2, do="Do")
    crossed = pickle.loads(pickle.dumps(made))
    assert type(crossed) is error
    assert str(crossed) == str(made)

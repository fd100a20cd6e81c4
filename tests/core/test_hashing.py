from __future__ import annotations

import hashlib
import importlib.util
import linecache
import textwrap

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.hashing import code_digest, digest, digest_bytes, digest_file


@given(st.binary())
def test_digests_are_blake2b(data):
    assert digest_bytes(data) == hashlib.blake2b(data, digest_size=16).hexdigest()
    assert digest_bytes(bytearray(data)) == digest_bytes(memoryview(data)) == digest_bytes(data)


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_a_files_digest_is_its_bytes(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    assert digest_file(path) == digest_bytes(bytes(size))


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _values, min_size=2), st.randoms())
def test_order_of_mappings_changes_nothing(value, dice):
    items = list(value.items())
    dice.shuffle(items)
    assert digest(dict(items)) == digest(value)


@given(_values, _values)
def test_different_values_have_different_digests(one, other):
    assert (digest(one) == digest(other)) == (msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)) or (
        one == other
    )


def test_sets_have_no_order():
    assert digest({"a", "b", "c"}) == digest({"c", "b", "a"})


SOURCE = """
LIMIT = 15
NAMES = ("a", "b")

def helper(x):
    return x * LIMIT

def feature(x):
    return helper(x) + 1
"""


@pytest.fixture
def digest_of(tmp_path):
    def load(source, name="feature"):
        path = tmp_path / "project.py"
        path.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location("project", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        linecache.clearcache()
        return code_digest(getattr(module, name))

    return load


@pytest.mark.parametrize(
    "same",
    [
        SOURCE.replace("return helper(x) + 1", "# why\n    return (helper(x)\n            + 1)"),
        SOURCE.replace("    return helper(x) + 1", '    """What it does."""\n\n    return helper(x) + 1'),
        SOURCE.replace("def helper(x):", "def unused():\n    pass\n\ndef helper(x):"),
        SOURCE.replace('("a", "b")', '("c",)'),
    ],
)
def test_comments_layout_and_strangers_change_nothing(digest_of, same):
    assert same != SOURCE
    assert digest_of(same) == digest_of(SOURCE)


@pytest.mark.parametrize(
    "other",
    [
        SOURCE.replace("+ 1", "+ 2"),
        SOURCE.replace("x * LIMIT", "x / LIMIT"),
        SOURCE.replace("LIMIT = 15", "LIMIT = 16"),
    ],
)
def test_meaning_is_followed_into_helpers_and_constants(digest_of, other):
    assert digest_of(other) != digest_of(SOURCE)


def test_recursion_ends(digest_of):
    source = "def feature(x):\n    return other(x)\n\ndef other(x):\n    return feature(x - 1) if x else 0\n"
    assert digest_of(source) != digest_of(source.replace("x - 1", "x - 2"))


def test_code_without_source_counts_by_its_name():
    assert code_digest(len) == code_digest(len)
    assert code_digest(len) != code_digest(max)

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.features.aggregate import count, last, mean, share
from drivetrain.features.entity import Entity
from drivetrain.features.inherit import CLASSES, key_privacy, request_features, strictest, view_features
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView


def source(owner="tills", **columns):
    return Source(name="payments", reader=files("raw/*.csv"), key=("id",), contract=Contract(columns), owner=owner)


def view(of, *features, **more):
    return FeatureView(name="card", entity=Entity("card", ["card"]), source=of, features=features, **more)


@given(value=st.sampled_from(CLASSES), where=st.sampled_from(CLASSES), key=st.sampled_from(CLASSES))
def test_a_feature_is_as_strict_as_the_strictest_column_it_reads(value, where, key):
    payments = source(
        amount=Column("float", privacy=value), kind=Column("string", privacy=where), card=Column("string", privacy=key)
    )
    asked = mean("amount", windows="7d", where=pl.col("kind") == "online")
    (found,) = view_features(view(payments, asked), payments)
    assert CLASSES.index(found.privacy) == max(CLASSES.index(value), CLASSES.index(where))
    assert found.reads == ("amount", "kind")
    assert key_privacy(view(payments, asked), payments) == key


def test_columns_nobody_declared_and_no_columns_count_as_internal():
    payments = source(amount=Column("float", privacy="public"))
    asked = view(payments, count(windows="7d"), last("colour"), mean("amount", windows="7d"))
    assert [one.privacy for one in view_features(asked, payments)] == ["internal", "internal", "public"]
    mixed = view(payments, share(pl.col("amount") > pl.col("limit"), name="over", windows="7d"))
    assert view_features(mixed, payments)[0].privacy == "internal"
    assert key_privacy(asked, payments) == "internal"
    assert strictest([]) == "internal"


@pytest.mark.parametrize(("mine", "theirs", "whose"), [("risk", "tills", "risk"), ("", "tills", "tills"), ("", "", "")])
def test_the_owner_is_the_views_or_else_the_sources(mine, theirs, whose):
    payments = source(theirs)
    assert view_features(view(payments, count(windows="7d"), owner=mine), payments)[0].owner == whose


def test_a_feature_says_what_its_author_said_or_else_what_is_said_of_the_one_column_it_is_made_of():
    payments = source(amount=Column("float", description="In euros"), fee=Column("float", description="Ours"))
    asked = view(
        payments,
        mean("amount", windows="7d"),
        mean("amount", windows="1d", name="mine", description="What is usual"),
        mean(pl.col("amount") - pl.col("fee"), windows="7d", name="net"),
        count(windows="7d", where=pl.col("fee") > 0),
    )
    assert [one.description for one in view_features(asked, payments)] == ["In euros", "What is usual", "", ""]
    assert "from payments available then" in view_features(asked, payments)[0].words


def test_a_feature_of_the_request_inherits_from_the_columns_its_fields_are_in_training():
    payments = source(amount=Column("float", description="In euros"), email=Column("string", privacy="personal"))
    asked = RequestFeatures(
        name="basket",
        function=lambda _: [pl.col("amount"), pl.col("email").str.len_chars().alias("letters")],
        inputs={"amount": "float", "email": "string"},
        owner="shop",
    )
    found = request_features(asked, [payments])
    assert [(one.name, one.privacy, one.owner) for one in found] == [
        ("basket.amount", "internal", "shop"),
        ("basket.letters", "personal", "shop"),
    ]
    assert found[0].description == "In euros"
    assert found[1].reads == ("email",)
    assert {one.privacy for one in request_features(asked)} == {"internal"}

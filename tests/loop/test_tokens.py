from __future__ import annotations

import msgspec
import pytest
from tests.loop.shop import copy_shop

from drivetrain.core.errors import RefusedError, UnknownName, UsageError
from drivetrain.core.records import Token
from drivetrain.loop.project import Project


@pytest.fixture
def shop(made_shop, tmp_path):
    return Project.load(copy_shop(made_shop, tmp_path / "shop"))


def test_a_token_is_made_listed_and_revoked(shop):
    made = shop.tokens.create(
        "web", ["predict", "read", "predict"], endpoints=["returned"], expires="90d", rate="100/s"
    )
    (listed,) = shop.tokens.list()
    assert (listed.name, listed.id, listed.state) == ("web", made.id, "good")
    assert (listed.scopes, listed.endpoints, listed.rate) == (("predict", "read"), ("returned",), 100.0)
    assert listed.expires > listed.made
    assert made.token.startswith(f"dt_{made.id}_")
    kept = shop.store.catalog.get(Token, "web")
    told = msgspec.json.encode([listed, kept]).decode()
    assert made.token not in told
    assert made.token.rsplit("_", 1)[1] not in told
    assert kept.digest not in msgspec.json.encode(listed).decode()
    ended = shop.tokens.revoke("web")
    assert ended.state == "revoked"
    assert shop.tokens.revoke("web") == ended == shop.tokens.list()[0]


def test_a_name_is_given_again_once_its_token_has_ended(shop):
    first = shop.tokens.create("web", ["predict"])
    with pytest.raises(RefusedError, match="revoke web"):
        shop.tokens.create("web", ["predict"])
    shop.tokens.revoke("web")
    second = shop.tokens.create("web", ["feedback"], expires="1us")
    assert second.id != first.id
    assert shop.tokens.list()[0].state == "expired"
    assert shop.tokens.create("web", ["push"]).state == "good"
    assert len(shop.tokens.list()) == 1


@pytest.mark.parametrize(
    ("scopes", "more", "kind", "says"),
    [
        ([], {}, UsageError, "at least one thing"),
        (["predict", "all"], {}, UsageError, "'all' is no scope"),
        (["predict"], {"endpoints": ["none"]}, UnknownName, "none"),
        (["predict"], {"expires": "soon"}, UsageError, "not a duration"),
        (["predict"], {"expires": "0s"}, UsageError, "no time"),
        (["predict"], {"rate": "fast"}, UsageError, "not a rate"),
        (["predict"], {"name": " "}, UsageError, "needs a name"),
    ],
)
def test_what_makes_no_token_is_named(shop, scopes, more, kind, says):
    with pytest.raises(kind, match=says):
        shop.tokens.create(more.pop("name", "web"), scopes, **more)
    assert shop.tokens.list() == []


def test_a_token_that_is_not_there_is_named(shop):
    shop.tokens.create("web", ["predict"])
    with pytest.raises(UnknownName, match="expected one of web"):
        shop.tokens.revoke("app")

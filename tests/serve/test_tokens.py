"""Tokens as workers know them, alone and in real servers."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from drivetrain.core.clock import DAY, now
from drivetrain.core.errors import NotReady, StoreError
from drivetrain.core.records import Token
from drivetrain.serve.denial import Unauthorised
from drivetrain.serve.rates import Rates
from drivetrain.serve.tokens import TokenBook, mint
from serve import world
from serve.process import running
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"
BODY = json.dumps({"instances": [instance()]}).encode()


def keep(store, name="shop", scopes=("predict",), **more):
    """A token in the catalog, as callers send it."""
    made = mint()
    store.catalog.commit(
        Token(at=now(), name=name, id=made.id, salt=made.salt, digest=made.digest, scopes=scopes, **more)
    )
    return f"Bearer {made.text}"


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.fixture
def book(store, tmp_path):
    return TokenBook(store.catalog, Rates(tmp_path / "rates", 1))


class Away:
    """A catalog that can't be read, then can."""

    def __init__(self, catalog):
        self.catalog, self.away = catalog, True

    def revision(self):
        if self.away:
            raise StoreError("the catalog is away")
        return self.catalog.revision()

    def find(self, kind):
        return self.catalog.find(kind)


def test_what_is_kept_of_a_token_gives_nothing_away(store):
    text = keep(store).removeprefix("Bearer ")
    kept = msgspec.json.encode(store.catalog.get(Token, "shop")).decode()
    secret = text.rsplit("_", 1)[1]
    assert len(secret) == 64
    assert secret not in kept
    assert text.split("_")[1] in kept
    again = mint(), mint()
    assert again[0].salt != again[1].salt


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_a_token_is_known_by_its_holder(store, book, scheme):
    text = keep(store).removeprefix("Bearer ")
    book.look()
    assert book.holder(scheme + text).name == "shop"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: None,
        lambda text: "",
        lambda text: "Bearer",
        lambda text: "Bearer ",
        lambda text: "Basic " + text[7:],
        lambda text: text[7:],
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text[:24] + "0" * 64,
        lambda text: text.replace("dt_", "xx_"),
        lambda text: text.upper(),
        lambda text: "Bearer " + "ä" * 87,
        lambda text: "Bearer \udcff\udcfe",
        lambda text: "Bearer " + mint().text,
    ],
)
def test_anything_else_is_refused(store, book, spoil):
    text = keep(store)
    book.look()
    with pytest.raises(Unauthorised):
        book.holder(spoil(text))


def test_a_token_ends_with_its_time(store, book):
    ended, good = keep(store, "old", expires=now()), keep(store, "new", expires=now() + DAY)
    book.look()
    assert book.holder(good).name == "new"
    with pytest.raises(Unauthorised, match="'old' has expired"):
        book.holder(ended)


def test_a_catalog_that_goes_away_takes_no_token_with_it(store, tmp_path):
    catalog = Away(store.catalog)
    book, text = TokenBook(catalog, Rates(tmp_path / "rates", 1)), keep(store)
    book.look()
    with pytest.raises(NotReady, match="can't be checked"):
        book.holder(text)
    catalog.away = False
    book.look()
    catalog.away = True
    book.look()
    assert book.holder(text).name == "shop"
    with pytest.raises(Unauthorised):
        book.holder("Bearer " + mint().text)


def test_a_commit_of_something_else_is_no_new_allowance(store, book):
    text = keep(store, rate=1.0)
    book.look()
    assert book.holder(text).bucket.wait(0.0) == 0.0
    world.point(store, "plain", "shadow", 1)
    book.look()
    assert book.holder(text).bucket.wait(0.0) > 0.0


def test_workers_share_a_rate(store, tmp_path):
    text = keep(store, rate=2.0)
    books = [TokenBook(store.catalog, Rates(tmp_path / "rates", 2)) for _ in range(2)]
    for book in books:
        book.look()
    first, second = (book.holder(text).bucket for book in books)
    assert [first.wait(9.0), first.wait(9.0), second.wait(9.0)] == [0.0, 0.0, 0.5]


def send(server, text=None, path=PLAIN, method="POST"):
    connection = server.client()
    try:
        connection.request(method, path, BODY if method == "POST" else None, {"authorization": text} if text else {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def send_together(server, count, text=None):
    """As many requests at once, each on a connection of its own: every worker takes some."""
    with ThreadPoolExecutor(count) as callers:
        return list(callers.map(lambda _: send(server, text), range(count)))


def test_every_worker_follows_within_a_second(store, tmp_path):
    with running(tmp_path, workers=2, tokens="on") as server:
        server.wait_for_workers(2)
        assert {status for status, _, _ in send_together(server, 40)} == {401}
        text = keep(store)
        time.sleep(1.0)
        assert {status for status, _, _ in send_together(server, 40, text)} == {200}
        kept = store.catalog.get(Token, "shop")
        store.catalog.commit(msgspec.structs.replace(kept, revoked=now()))
        time.sleep(1.0)
        refused = send_together(server, 40, text)
        assert {status for status, _, _ in refused} == {401}
        assert refused[0][1]["www-authenticate"] == "Bearer"
        assert send(server, "Bearer \xff\xfe")[0] == 401
        assert send(server, path="/healthz", method="GET")[0] == 200

"""Signatures along the whole road: made by the run, asked for by whoever answers, told of by whoever looks."""

from __future__ import annotations

import time
import tomllib

import msgspec
import polars as pl
import pytest
from fastapi.testclient import TestClient
from tests.loop.shop import ORDER, command, copy_shop, edit, serving
from tests.loop.test_tick import second_version

import drivetrain as dt
from drivetrain.core.clock import now
from drivetrain.core.errors import SettingsError, SignatureRefused, UsageError
from drivetrain.core.records import Alias, Decision, ModelVersion
from drivetrain.loop.project import Project
from drivetrain.loop.stages.release import release
from drivetrain.registry.aliases import current, point

BECAUSE = "trained before there was a key"


class Shop:
    """A shop whose version 1 was registered before there was a key."""

    def __init__(self, folder):
        self.folder = folder
        self.plain = (folder / "drivetrain.toml").read_text()
        self.key = self.load().keys.create(folder.parent / "keys")

    def load(self) -> Project:
        return Project.load(self.folder)

    def named(self, *settings: str, **others: str) -> Project:
        """The project with these settings of the key, or with other values for them."""
        lines = {name: getattr(self.key, name) for name in settings} | others
        text = "".join(f'{name} = "{value}"\n' for name, value in lines.items())
        (self.folder / "drivetrain.toml").write_text(f"{self.plain}[registry]\n{text}")
        return self.load()


@pytest.fixture
def shop(made_shop, tmp_path):
    return Shop(copy_shop(made_shop, tmp_path / "shop"))


def found(project, about):
    return next(finding for finding in project.doctor() if finding["about"] == about)


def test_the_lines_of_a_new_key_are_settings_that_work(shop):
    assert tomllib.loads(shop.key.settings)["registry"] == {
        "signing_key": shop.key.signing_key,
        "verify_key": shop.key.verify_key,
    }
    (shop.folder / "drivetrain.toml").write_text(shop.plain + shop.key.settings)
    done = shop.load().keys.sign(1, because=BECAUSE)
    assert (done.model, done.version, done.key) == ("returned", 1, shop.key.id)


def test_a_key_does_not_go_into_the_projects_state(shop):
    with pytest.raises(UsageError, match="a key in the project's state goes wherever the state goes"):
        shop.load().keys.create(shop.folder / ".drivetrain" / "keys")
    assert not (shop.folder / ".drivetrain" / "keys").exists()


def test_a_run_compares_with_a_signed_champion_only_and_signs_what_it_registers(shop):
    edit(shop.folder, 'valid="21d"', 'valid="20d"')
    project = shop.named("signing_key", "verify_key")
    with pytest.raises(SignatureRefused, match="returned v1 is not signed"):
        project.run(at="2026-06-30")
    project.keys.sign(1, because=BECAUSE)
    project.store.close()
    project = shop.load()
    outcome = project.run(at="2026-06-30")
    assert [step.name for step in outcome.steps if not step.cached] == ["judge:returned", "release:returned"]
    (signature,) = project.store.catalog.get(ModelVersion, "returned@2").signatures
    assert signature.key == shop.key.id
    assert 2 in current(project.store, "returned").values()
    assert found(project, "endpoint returned")["words"].endswith("and every signature is good")


def test_a_key_that_can_not_be_used_is_said_before_anything_is_done(shop):
    edit(shop.folder, 'valid="21d"', 'valid="20d"')
    project = shop.named(signing_key="nowhere.pem", verify_key="nowhere.pem")
    before = project.store.catalog.revision()
    with pytest.raises(SettingsError, match=r"nowhere.pem .registry.signing_key. can't be read"):
        project.run()
    assert project.store.catalog.revision() == before
    told = command(shop.folder, "serve", check=False)
    assert told.returncode == 2
    assert "nowhere.pem (registry.verify_key) can't be read" in told.stderr
    assert "Traceback" not in told.stderr


def test_what_no_server_would_load_is_not_released_promoted_routed_to_or_brought_back(shop):
    project = shop.named("verify_key")
    version, model = second_version(project), project.find_model(None)
    assert release(project, model, version, now()) == "v2 refused"
    decision = project.store.catalog.find(Decision, "returned")[0]
    assert (decision.what, decision.version) == ("refuse", 2)
    assert "returned v2 is not signed" in decision.because
    with pytest.raises(SignatureRefused, match="v2 is not signed"):
        project.promote(None, 2, because="I like it")
    with pytest.raises(SignatureRefused, match="v2 is not signed"):
        project.route(None, dt.Canary(version=2), because="a little of it")
    point(project.store, "returned", "champion", 2, because="behind its back", actor="test")
    with pytest.raises(SignatureRefused, match="v1 is not signed"):
        project.rollback(because="I don't")
    assert current(project.store, "returned") == {"champion": 2}
    assert shop.named().promote(None, 1, because="nobody asks for signatures").version == 1


def test_a_file_is_scored_by_signed_versions_only(shop, tmp_path):
    project = shop.named("signing_key", "verify_key")
    pl.DataFrame([ORDER]).write_parquet(tmp_path / "s.parquet")
    with pytest.raises(SignatureRefused, match="returned v1 is not signed"):
        project.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet")
    assert not (tmp_path / "p.parquet").exists()
    project.keys.sign(1, because=BECAUSE)
    assert project.predict_batch(None, tmp_path / "s.parquet", tmp_path / "p.parquet").rows == 1


def test_a_mounted_endpoint_answers_by_signed_versions_only(shop):
    project = shop.named("signing_key", "verify_key")
    with TestClient(dt.asgi_app(project, "returned")) as client:
        answer = client.get("/v1/endpoints/returned").json()
        assert not answer["ready"]
        assert "returned v1 is not signed" in answer["problems"]["champion"]
        assert client.post("/v1/endpoints/returned/predict", json={"instances": [ORDER]}).status_code == 503


def test_nothing_is_signed_without_a_key(shop):
    with pytest.raises(SettingsError, match=r"registry.signing_key is empty.*drivetrain key create"):
        shop.named("verify_key").keys.sign(1, because=BECAUSE)


def test_the_doctor_says_whether_signatures_are_checked(shop):
    assert found(shop.named(), "signatures") == {
        "about": "signatures",
        "state": "ok",
        "words": "not checked: registry.verify_key names no key",
    }
    assert f"made with key {shop.key.id}, but not checked" in found(shop.named("signing_key"), "signatures")["words"]
    project = shop.named("verify_key")
    assert "none is signed here" in found(project, "signatures")["words"]
    assert found(project, "endpoint returned")["state"] == "broken"
    assert "returned v1 is not signed" in found(project, "endpoint returned")["words"]
    assert found(shop.named("signing_key", "verify_key"), "signatures") == {
        "about": "signatures",
        "state": "ok",
        "words": f"a version is loaded only if key {shop.key.id} signed it",
    }
    other = shop.load().keys.create(shop.folder.parent / "other")
    odd = found(shop.named("signing_key", verify_key=other.verify_key), "signatures")
    assert odd["state"] == "warning"
    assert shop.key.id in odd["words"]
    assert other.id in odd["words"]
    assert found(shop.named(signing_key="no.pem"), "signatures")["state"] == "broken"


def test_a_worker_refuses_a_version_and_goes_on_with_the_one_before(shop):
    project = shop.named("signing_key", "verify_key")
    project.keys.sign(1, because=BECAUSE)
    version = second_version(project)  # with the signature of the first
    with serving(shop.folder) as client:
        assert client.predict("returned", [ORDER])["model_version"] == 1
        project.store.catalog.commit(Alias(at=now(), model="returned", alias="champion", version=2, previous=1))
        told = until(client, lambda told: "champion" in told["problems"])
        assert (
            "version 2 can't be served, version 1 stays: returned v2 is not what was signed"
            in (told["problems"]["champion"])
        )
        assert "found number 2; expected number 1" in told["problems"]["champion"]
        assert client.predict("returned", [ORDER])["model_version"] == 1
        status = command(shop.folder, "status").stdout
        assert "champion v2 is not loaded: returned v2 is not what was signed" in status
        project.store.catalog.commit(msgspec.structs.replace(version, signatures=()))
        told = until(client, lambda told: "is not signed" in told["problems"].get("champion", ""))
        project.keys.sign(2, because="looked at")
        told = until(client, lambda told: not told["problems"])
        assert client.predict("returned", [ORDER])["model_version"] == 2
    assert "is not loaded" not in command(shop.folder, "status").stdout


def until(client, holds):
    """What the endpoint says of itself, once it says so."""
    patience = time.monotonic() + 30
    while not holds(told := client.describe("returned")):
        assert time.monotonic() < patience, told
        time.sleep(0.05)
    return told

from __future__ import annotations

import msgspec
import pytest

from drivetrain.core.errors import SettingsError
from drivetrain.core.settings import Settings, load_settings


def test_defaults_need_no_file(tmp_path):
    assert load_settings(tmp_path, {}) == Settings()
    assert Settings().serve.port == 8701


def test_a_file_and_the_environment_over_it(tmp_path):
    (tmp_path / "drivetrain.toml").write_text('[serve]\nport = 9000\nhost = "::1"\n[store]\nonline_gib = 0.5\n')
    settings = load_settings(tmp_path, {"DRIVETRAIN_SERVE__PORT": "9001", "OTHER": "x", "DRIVETRAIN_PLAIN": "x"})
    assert (settings.serve.port, settings.serve.host, settings.store.online_gib) == (9001, "::1", 0.5)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("DRIVETRAIN_SERVE__ALLOW_AT", "true", lambda settings: settings.serve.allow_at is True),
        (
            "DRIVETRAIN_STORE__CATALOG",
            "postgresql://x/y",
            lambda settings: settings.store.catalog == "postgresql://x/y",
        ),
        ("DRIVETRAIN_COMPUTE__THREADS", "3", lambda settings: settings.compute.threads == 3),
        ("DRIVETRAIN_SERVE__THREADS", "2", lambda settings: settings.serve.threads == 2),
        ("DRIVETRAIN_SERVE__DURABILITY", "disk", lambda settings: settings.serve.durability == "disk"),
    ],
)
def test_the_environment_is_text_and_settings_are_typed(tmp_path, name, value, found):
    assert found(load_settings(tmp_path, {name: value}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[serve]\nport = 'x'", "serve.port"),
        ("[serve]\nprot = 1", "prot"),
        ("[sevre]\nport = 1", "sevre"),
        ("serve = 1", "serve"),
        ("[serve", "TOML"),
        ("[serve]\ndurability = 'often'", "durability"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, says):
    (tmp_path / "drivetrain.toml").write_text(text)
    with pytest.raises(SettingsError, match=says) as caught:
        load_settings(tmp_path, {})
    assert "drivetrain.toml" in str(caught.value)


def test_a_bad_variable_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="port"):
        load_settings(tmp_path, {"DRIVETRAIN_SERVE__PORT": "many"})
    with pytest.raises(SettingsError, match="threads"):
        load_settings(tmp_path, {"DRIVETRAIN_SERVE__THREADS": "0"})
    with pytest.raises(SettingsError, match="nothing"):
        load_settings(tmp_path, {"DRIVETRAIN_NOTHING__KEY": "1"})


def test_bytes_that_are_no_text_are_named(tmp_path):
    (tmp_path / "drivetrain.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not TOML"):
        load_settings(tmp_path, {})


def test_settings_read_the_processes_own_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DRIVETRAIN_WEB__PORT", "1234")
    assert load_settings(tmp_path).web.port == 1234


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        Settings().serve.port = 1
    assert msgspec.json.decode(msgspec.json.encode(Settings()), type=Settings) == Settings()

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest

from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, UnknownName


@pytest.fixture
def adapters(monkeypatch):
    package = types.ModuleType("drivetrain.adapters")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "drivetrain.adapters", package)

    def add(name, **attributes):
        module = types.ModuleType(f"drivetrain.adapters.{name}")
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return module

    return add


def test_an_adapter_is_reached_by_kind_and_name(adapters):
    adapters("punchcards", engine="the engine")
    assert plugins.load("engine", "punchcards") == "the engine"


def test_a_kind_it_lacks_is_named(adapters):
    adapters("punchcards", engine="the engine")
    with pytest.raises(UnknownName, match="punchcards adapter has no trainer"):
        plugins.load("trainer", "punchcards")


def test_an_unknown_name_is_named():
    with pytest.raises(UnknownName, match="no adapter is called 'nosuch'"):
        plugins.load("engine", "nosuch")


def test_a_missing_library_says_what_to_install(adapters, monkeypatch):
    def missing(target):
        raise ModuleNotFoundError("No module named 'punchlib'", name="punchlib")

    monkeypatch.setattr(plugins.importlib, "import_module", missing)
    with pytest.raises(
        MissingExtra, match=r'punchcards adapter needs punchlib.*pip install "drivetrain\[punchcards\]"'
    ):
        plugins.load("engine", "punchcards")


def test_an_installed_package_may_register_an_adapter(monkeypatch):
    module = types.ModuleType("elsewhere")
    module.sink = "the sink"
    monkeypatch.setitem(sys.modules, "elsewhere", module)
    point = EntryPoint("pager", "elsewhere", "drivetrain.adapters")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == "drivetrain.adapters" else [])
    plugins._registered.cache_clear()
    try:
        assert plugins.load("sink", "pager") == "the sink"
    finally:
        plugins._registered.cache_clear()


def test_a_package_that_is_installed_meanwhile_is_found(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnknownName):
        plugins.load("sink", "late_pager")
    (tmp_path / "late_pager.py").write_text("sink = 'the late sink'")
    made = tmp_path / "late_pager-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: late-pager\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("[drivetrain.adapters]\nlate_pager = late_pager\n")
    assert plugins.load("sink", "late_pager") == "the late sink"


def test_packages_are_looked_through_once(monkeypatch):
    looked = []
    monkeypatch.setattr(plugins, "entry_points", lambda group: looked.append(group) or [])
    plugins._registered.cache_clear()
    try:
        for _ in range(5):
            plugins.load("tuner", "optuna")
    finally:
        plugins._registered.cache_clear()
    assert looked == ["drivetrain.adapters"]

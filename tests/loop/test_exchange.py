"""Versions from one project to another: whole, vouched for, once; and files that are refused, by name."""

from __future__ import annotations

import io
import json
import pickle
import random
import stat
import warnings
import zipfile
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.loop.shop import command, copy_shop, make_shop

from drivetrain.core.errors import DrivetrainError, RefusedError, SignatureRefused, UnknownName, UsageError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.records import Access, AuditEntry, Decision, Evaluation, ModelVersion, Run, TableVersion
from drivetrain.core.records.imported import Imported
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import current
from drivetrain.registry.archive.manifest import BLOBS, Manifest
from drivetrain.registry.archive.read import read_archive
from drivetrain.registry.load import load_engine
from drivetrain.store.audit import verify
from drivetrain.testing.kill import run_killed

WHY = "trained where the rows are"


@pytest.fixture(scope="module")
def packed(made_shop, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "returned-1.zip"
    project = Project.load(made_shop)
    project.versions.export(1, path)
    project.store.close()
    return path


@pytest.fixture
def other(tmp_path):
    """A project of its own that declares the model and has nothing yet."""
    loaded = Project.load(make_shop(tmp_path / "other"))
    yield loaded
    loaded.store.close()


def rewritten(packed: Path, path: Path, change) -> Path:
    """The archive with its entries changed: ``change`` is given name → bytes."""
    with zipfile.ZipFile(packed) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def manifest(entries: dict[str, bytes]) -> Manifest:
    return msgspec.json.decode(entries["manifest.json"], type=Manifest)


def test_a_version_arrives_whole_with_its_lineage_and_answers_alike(made_shop, packed, other):
    done = other.versions.take(packed, because=WHY)
    assert (done.model, done.version, done.project, done.there) == ("returned", 1, "returns", False)
    home = Project.load(made_shop)
    theirs, ours = (each.store.catalog.get(ModelVersion, "returned@1") for each in (home, other))
    assert replace(ours, training_set=theirs.training_set) == theirs
    assert ours.training_set == f"foreign:{done.digest}/{theirs.training_set}"
    rows = [[0.0] * len(ours.input_schema.names), [1.0] * len(ours.input_schema.names)]
    assert [load_engine(other.store, ours).predict_row(row) for row in rows] == [
        load_engine(home.store, theirs).predict_row(row) for row in rows
    ]
    assert other.store.blobs.get(ours.card) == home.store.blobs.get(theirs.card)
    assert other.store.blobs.get(ours.reference) == home.store.blobs.get(theirs.reference)
    assert other.store.catalog.get(Run, ours.run_id).parameters == home.store.catalog.get(Run, ours.run_id).parameters
    assert (
        other.store.catalog.get(Evaluation, ours.run_id).metrics
        == home.store.catalog.get(Evaluation, ours.run_id).metrics
    )
    graph = other.versions.lineage(1)
    assert {f"foreign:{done.digest}/table:orders@0", f"import:{done.digest}", f"run:{ours.run_id}"} <= {
        one.ref for one in graph.vertices
    }
    assert [table.table for table in other.store.catalog.get(Imported, done.digest).tables] == [
        "training/returned",
        "orders",
    ]
    assert other.store.catalog.find(TableVersion) == []
    assert current(other.store, "returned") == {}
    home.store.close()


def test_it_is_taken_in_once_and_is_on_record(packed, other):
    other.versions.take(packed, because=WHY)
    revision = other.store.catalog.revision()
    assert other.versions.take(packed, because=WHY).there
    assert other.store.catalog.revision() == revision
    decision = next(one for one in other.store.catalog.find(Decision, "returned") if one.what == "import")
    assert WHY in decision.because
    chain = sorted(other.store.catalog.find(AuditEntry), key=lambda entry: entry.number)
    assert {"register", "import"} <= {entry.what for entry in chain}
    assert verify(other.store.catalog, chain) == []
    other.promote("returned", 1, because="it came well")
    assert current(other.store, "returned") == {"champion": 1}


def test_what_needs_its_rows_says_that_they_are_elsewhere(packed, other, made_shop):
    other.versions.take(packed, because=WHY)
    with pytest.raises(RefusedError, match="they are in the project where it was trained"):
        other.reproduce(1)
    assert "can't be read" in other.diff(1, 1).predictions.note
    other.run(at="2026-06-30")
    assert sorted(version.version for version in other.store.catalog.find(ModelVersion, "returned")) == [1]
    found = other.forget("customer", "c001", dry_run=True)
    assert [(one.model, one.version) for one in found.versions] == [("returned", 1)]
    assert other.features("history")


def test_another_version_of_that_number_is_never_overwritten(packed, made_shop, tmp_path):
    project = Project.load(copy_shop(made_shop, tmp_path / "mine"))
    catalog = project.store.catalog
    mine = replace(catalog.get(ModelVersion, "returned@1"), run_id="another")
    catalog.commit(mine)
    with pytest.raises(RefusedError, match="returned@1 is there already, and is another"):
        project.versions.take(packed, because=WHY)
    assert catalog.get(ModelVersion, "returned@1") == mine
    project.store.close()


def test_the_same_version_gives_the_same_file(made_shop, packed, tmp_path):
    project = Project.load(made_shop)
    project.versions.export("returned@1", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    project.store.close()


def test_with_a_key_it_must_be_sealed_and_signed_with_it(made_shop, tmp_path, packed):
    home = Project.load(copy_shop(made_shop, tmp_path / "home"))
    key = home.keys.create(tmp_path / "keys")
    toml = (home.folder / "drivetrain.toml").read_text()
    (home.folder / "drivetrain.toml").write_text(f'{toml}[registry]\nsigning_key = "{key.signing_key}"\n')
    home = Project.load(home.folder)
    home.keys.sign(1, because="it is ours")
    sealed = home.versions.export(1, tmp_path / "sealed.zip")
    assert sealed.sealed == key.id
    home.store.close()

    folder = make_shop(tmp_path / "strict")
    toml = (folder / "drivetrain.toml").read_text()
    (folder / "drivetrain.toml").write_text(f'{toml}[registry]\nverify_key = "{key.verify_key}"\n')
    strict = Project.load(folder)
    with pytest.raises(SignatureRefused, match="is not sealed"):
        strict.versions.take(packed, because=WHY)

    def forge(entries: dict[str, bytes]) -> None:
        entries["manifest.json"] = entries["manifest.json"].replace(b'"passed": true', b'"passed": false')

    with pytest.raises(SignatureRefused, match="its manifest was changed"):
        strict.versions.take(rewritten(tmp_path / "sealed.zip", tmp_path / "forged.zip", forge), because=WHY)
    assert strict.store.catalog.find(ModelVersion) == []
    assert strict.versions.take(tmp_path / "sealed.zip", because=WHY).sealed == key.id
    strict.store.close()


def add(name: str, data: bytes = b"x"):
    return lambda entries: entries.__setitem__(name, data)


def smuggled(entries: dict[str, bytes], data: bytes, **changes: object) -> None:
    """Another file in the place of the served artifact, with digest and size that fit."""
    said = manifest(entries)
    old = said.version.artifacts[0]
    new = replace(old, digest=digest_bytes(data), size=len(data), **changes)

    def swap(artifacts):
        return tuple(new if one.digest == old.digest else one for one in artifacts)

    entries[BLOBS + new.digest] = data
    del entries[BLOBS + old.digest]
    made = replace(
        said,
        version=replace(said.version, artifacts=swap(said.version.artifacts)),
        run=replace(said.run, artifacts=swap(said.run.artifacts)),
        blobs={name.removeprefix(BLOBS): len(body) for name, body in entries.items() if name.startswith(BLOBS)},
    )
    entries["manifest.json"] = msgspec.json.encode(made)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("/tmp/drivetrain-import-ran"),)


def a_zip_of_a_pickle() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("schema.json", "{}")
        archive.writestr("model.pkl", pickle.dumps(Bomb()))
    return made.getvalue()


HOSTILE = {
    "a way out": (add("../../evil.py"), "'../../evil.py'"),
    "a way from the root": (add("/etc/cron.d/x"), "'/etc/cron.d/x'"),
    "a way out below blobs": (add("blobs/../../x"), "'blobs/../../x'"),
    "a backslash": (add("blobs\\..\\x"), "which no archive of drivetrain does"),
    "a pickle beside": (add("model.pkl", pickle.dumps(1)), "'model.pkl'"),
    "a blob nobody names": (add(f"blobs/{'0' * 32}"), "does not hold what its manifest says"),
    "no manifest": (lambda entries: entries.pop("manifest.json"), "has no manifest.json"),
    "a manifest of nonsense": (add("manifest.json", b"[1, 2"), "the manifest of"),
    "a manifest of another form": (add("manifest.json", b'{"form": 99}'), "in a form that this drivetrain does not"),
    "a manifest nested deep": (add("manifest.json", b'{"form":' + b"[" * 100_000), "the manifest of"),
    "a pickle for a model": (lambda entries: smuggled(entries, pickle.dumps(Bomb())), "artifact that is not what it"),
    "an old pickle": (lambda entries: smuggled(entries, pickle.dumps(Bomb(), protocol=0)), "is not what it says"),
    "a pickle called skops": (
        lambda entries: smuggled(entries, pickle.dumps(Bomb()), format="skops", name="m.skops"), "is not what it says"),
    "a pickle within skops": (
        lambda entries: smuggled(entries, a_zip_of_a_pickle(), format="skops", name="m.skops"), "is not what it says"),
    "a format nobody knows": (lambda entries: smuggled(entries, b"tree\n", format="dill"), "is not what it says"),
    "a pickle that says so": (lambda entries: smuggled(entries, pickle.dumps(Bomb()), format="pickle"),
                              "holds a pickle, 'model.txt', and opening one runs code"),
    "a name that leads out": (lambda entries: smuggled(entries, b"tree\n", name="../../m.txt"), r"'\.\./\.\./m\.txt'"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_must_not_be_there_is_refused_by_name(what, packed, other, tmp_path):
    change, said = HOSTILE[what]
    bad = rewritten(packed, tmp_path / "bad.zip", change)
    with pytest.raises(RefusedError, match=said):
        other.versions.take(bad, because=WHY)
    assert other.store.catalog.find(ModelVersion) == []
    assert not Path("/tmp/drivetrain-import-ran").exists()
    assert not (tmp_path.parent / "evil.py").exists()


def test_a_blob_that_was_changed_is_named(packed, other, tmp_path):
    def change(entries: dict[str, bytes]) -> None:
        name = BLOBS + manifest(entries).version.artifacts[0].digest
        entries[name] = entries[name][:-1] + b"!"

    with pytest.raises(RefusedError, match=r"model\.\w+ in .*bad.zip was changed"):
        other.versions.take(rewritten(packed, tmp_path / "bad.zip", change), because=WHY)


def test_links_and_entries_that_come_twice_are_refused(packed, tmp_path):
    link = zipfile.ZipInfo(f"blobs/{'a' * 32}")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for add_entry in (
        lambda archive: archive.writestr(link, "/etc/passwd"),
        lambda archive: archive.writestr("manifest.json", "{}"),
    ):
        bad = tmp_path / "bad.zip"
        bad.write_bytes(packed.read_bytes())
        with zipfile.ZipFile(bad, "a") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile says that a name comes twice
            add_entry(archive)
        with pytest.raises(RefusedError, match="which no archive of drivetrain does"):
            read_archive(bad)


def test_a_bomb_is_not_unpacked(packed, tmp_path):
    def change(entries: dict[str, bytes]) -> None:
        said = manifest(entries)
        entries["manifest.json"] = msgspec.json.encode(replace(said, blobs=said.blobs | {"b" * 32: 10}))
        entries[f"blobs/{'b' * 32}"] = b"\0" * 10_000_000

    with pytest.raises(RefusedError, match=r"10,000,000 bytes|was changed"):
        read_archive(rewritten(packed, tmp_path / "bomb.zip", change))


def test_cut_off_anywhere_or_with_any_byte_changed_it_is_refused_or_the_same(packed, tmp_path):
    whole, dice = packed.read_bytes(), random.Random(5)
    good = read_archive(packed)
    bad = tmp_path / "bad.zip"
    for place in [0, 1, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(40))]:
        bad.write_bytes(whole[:place])
        with pytest.raises(RefusedError):
            read_archive(bad)
    refused = 0
    for _ in range(250):
        place = dice.randrange(len(whole))
        changed = bytearray(whole)
        changed[place] ^= 1 << dice.randrange(8)
        bad.write_bytes(changed)
        try:
            read = read_archive(bad)
        except DrivetrainError:
            refused += 1
            continue
        assert (read.digest, read.blobs) == (good.digest, good.blobs), place
    assert refused > 200


TAKE = """
import sys
from drivetrain.loop.project import Project
from drivetrain.testing.kill import armed
project = Project.load(sys.argv[1])
project.store
armed()
project.versions.take(sys.argv[2], because="killed")
"""


@pytest.mark.parametrize("fsyncs", [1, 4])
def test_killed_in_the_middle_it_is_there_whole_or_not_at_all(packed, other, fsyncs):
    ending = run_killed(TAKE, str(other.folder), str(packed), fsyncs=fsyncs)
    assert ending.killed
    assert other.store.catalog.find(ModelVersion) == []
    assert not other.versions.take(packed, because=WHY).there
    assert other.versions.take(packed, because=WHY).there


def test_a_model_that_is_not_declared_and_a_missing_reason_are_said(packed, other, tmp_path):
    with pytest.raises(UsageError, match="needs a reason"):
        other.versions.take(packed, because=" ")
    code = other.folder / "project.py"
    code.write_text(code.read_text().replace('"returned",\n    label', '"sent_back",\n    label'))
    with pytest.raises(UnknownName, match="a model that is not declared here"):
        Project.load(other.folder).versions.take(packed, because=WHY)
    with pytest.raises(RefusedError, match="there is no file"):
        other.versions.take(tmp_path / "nowhere.zip", because=WHY)


def test_the_commands_say_the_same(made_shop, other, tmp_path):
    path = tmp_path / "v.zip"
    told = json.loads(command(made_shop, "export", "1", "--output", str(path), "--json").stdout)
    assert told["size"] > 0
    assert "was taken in" in command(other.folder, "import", str(path), "--because", WHY).stdout
    path.write_bytes(path.read_bytes()[:-100])
    assert command(other.folder, "import", str(path), "--because", WHY, check=False).returncode == 1
    assert command(other.folder, "lineage", "1", "--dot").stdout.startswith("digraph lineage {")
    assert other.store.catalog.find(Access) == []

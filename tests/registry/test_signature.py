"""What a signature proves, and what is tried against it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from drivetrain.core.errors import Conflict, CorruptBlob, SettingsError, SignatureRefused, UnknownName, UsageError
from drivetrain.core.records import Artifact, Decision, Field, InputSchema, ModelVersion
from drivetrain.registry.keys import make_keys, read_signing_key, read_verify_key
from drivetrain.registry.load import load_engine, predict_version
from drivetrain.registry.register import register
from drivetrain.registry.signature import check_signature, sign_version, signed, statement_of
from drivetrain.store.bundle import Store
from registry.versions import PASSED, SCHEMA, TABLE, finished_run, registered


@pytest.fixture
def keys(tmp_path: Path):
    return make_keys(tmp_path / "keys")


@pytest.fixture
def others(tmp_path: Path):
    return make_keys(tmp_path / "others")


def vouched(store: Store, keys, run_id: str = "run-1") -> ModelVersion:
    return register(
        store, finished_run(store, run_id), gates=PASSED, card=None, reference=None,
        features={"plane": "d" * 32}, training_set="table:training/late@3", sign=read_signing_key(keys.private),
    )  # fmt: skip


def test_what_is_signed_when_it_is_registered_loads(store: Store, keys) -> None:
    version = vouched(store, keys)
    assert store.catalog.get(ModelVersion, "late@1") == version
    (signature,) = version.signatures
    assert (signature.key, signature.at) == (keys.id, version.at)
    assert load_engine(store, version, verify=keys.public).predict_row([1.0]) == 0.4
    assert load_engine(store, version).predict_row([1.0]) == 0.4, "nobody asked for a signature"


def test_a_flipped_byte_is_found_by_the_digest(store: Store, keys) -> None:
    version = vouched(store, keys)
    path = store.blobs.path(version.artifacts[0].digest)
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(CorruptBlob):
        load_engine(store, version, verify=keys.public)


def swapped_artifact(store: Store, version: ModelVersion) -> ModelVersion:
    data = msgspec.json.encode(replace(TABLE, groups=((("AA",), 0.9), (("UA",), 0.9))))
    return replace(version, artifacts=(Artifact("rates.json", "json", store.blobs.put(data), len(data)),))


def test_an_artifact_swapped_together_with_its_digest_is_refused(store: Store, keys) -> None:
    version = vouched(store, keys)
    forged = swapped_artifact(store, version)
    store.catalog.commit(forged)
    assert load_engine(store, forged).predict_row([1.0]) == 0.9, "its digest is right: only the signature tells"
    with pytest.raises(SignatureRefused, match="late v1 is not what was signed on") as caught:
        load_engine(store, forged, verify=keys.public)
    assert forged.artifacts[0].digest in caught.value.found
    assert version.artifacts[0].digest in caught.value.expected


WIDER = InputSchema((Field("carrier", "category", ("UA", "AA")),))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda version: replace(version, input_schema=WIDER), "an input schema with digest"),
        (lambda version: replace(version, features={}), "no definition of plane"),
        (lambda version: replace(version, features={"plane": "e" * 32}), "definition of plane with digest eeee"),
        (lambda version: replace(version, features={"plane": "d" * 32, "more": "f"}), "a definition of more"),
        (lambda version: replace(version, version=2), "number 2"),
        (lambda version: replace(version, model="early"), "model early"),
        (lambda version: replace(version, artifacts=()), "no artifact rates.json"),
    ],
)
def test_what_a_version_is_fed_and_called_is_signed_too(store: Store, keys, change, found) -> None:
    changed = change(vouched(store, keys))
    with pytest.raises(SignatureRefused, match=found):
        check_signature(changed, read_verify_key(keys.public))


def test_artifacts_in_another_order_are_refused(store: Store, keys) -> None:
    key = read_signing_key(keys.private)
    plain = registered(store, "run-1")
    version = signed(replace(plain, artifacts=(*plain.artifacts, Artifact("m.onnx", "onnx", "0" * 32, 7))), key)
    check_signature(version, read_verify_key(keys.public))
    with pytest.raises(SignatureRefused, match="in another order"):
        check_signature(replace(version, artifacts=version.artifacts[::-1]), read_verify_key(keys.public))


def test_every_field_that_decides_an_answer_is_in_the_statement(store: Store) -> None:
    """A field added to these records must be signed in a new form, or be found to decide nothing."""
    assert [field.name for field in msgspec.structs.fields(Artifact)] == ["name", "format", "digest", "size"]
    assert [field.name for field in msgspec.structs.fields(InputSchema)] == ["fields"]
    fields = [field.name for field in msgspec.structs.fields(Field)]
    assert fields == ["name", "type", "categories", "description", "fill", "indicator", "means"]
    version = registered(store, "run-1")
    said = statement_of(version)
    for changed in (
        Field("carriers", "category", ("AA", "UA")),
        Field("carrier", "number", ("AA", "UA")),
        Field("carrier", "category", ("AA",)),
        Field("carrier", "category", ("A", "AUA")),
        Field("carrier", "category", ("AA", "UA"), fill=0.0),
        Field("carrier", "category", ("AA", "UA"), means=(0.2, 0.4, 0.3)),
    ):
        assert statement_of(replace(version, input_schema=InputSchema((changed,)))) != said
    filled = [replace(SCHEMA.fields[0], fill=fill, indicator=told) for fill in (0.0, 1.0) for told in (False, True)]
    assert len({repr(statement_of(replace(version, input_schema=InputSchema((each,))))) for each in filled}) == 4
    read = [replace(filled[0], means=means) for means in ((), (0.2, 0.4, 0.3), (0.2, 0.4, 0.4))]
    assert len({repr(statement_of(replace(version, input_schema=InputSchema((each,))))) for each in read}) == 3
    told = replace(SCHEMA.fields[0], description="mended words")
    assert statement_of(replace(version, input_schema=InputSchema((told,)))) == said


def test_the_form_of_a_statement_does_not_drift(store: Store, keys) -> None:
    """A signature made by an earlier drivetrain must verify for good: these bytes were signed by form 1."""
    version = registered(store, "run-1")
    messages: list[bytes] = []

    class Key:
        id = "k" * 32

        def sign(self, message: bytes) -> bytes:
            messages.append(message)
            return b""

    signed(version, Key())
    digest = version.artifacts[0].digest.encode()
    assert messages == [
        b"drivetrain model version\x00\x86\xa9artifacts\x91\x94\xaarates.json\xa4json\xd9 " + digest + b"\x56"
        b"\xa8features\x81\xa5plane\xd9 "
        + b"d" * 32
        + b"\xa4form\x01\xacinput_schema\xd9@"
        + hashlib.sha256(b"\x91\x93\xa7carrier\xa8category\x92\xa2AA\xa2UA").hexdigest().encode()
        + b"\xa5model\xa4late\xa7version\x01"
    ]


def test_another_key_is_named(store: Store, keys, others) -> None:
    version = vouched(store, others)
    with pytest.raises(SignatureRefused, match=f"v1 is signed with another key; found key {others.id}") as caught:
        load_engine(store, version, verify=keys.public)
    assert keys.id in caught.value.expected


def test_a_signature_under_another_keys_name_does_not_verify(store: Store, keys, others) -> None:
    version = vouched(store, others)
    claimed = replace(version, signatures=(replace(version.signatures[0], key=keys.id),))
    with pytest.raises(SignatureRefused, match="the signature of late v1 does not verify"):
        load_engine(store, claimed, verify=keys.public)


@pytest.mark.parametrize("value", ["", "no hex", "00" * 64, "00" * 63])
def test_a_signature_that_is_none_is_refused(store: Store, keys, value) -> None:
    version = vouched(store, keys)
    spoiled = replace(version, signatures=(replace(version.signatures[0], value=value),))
    with pytest.raises(SignatureRefused, match="does not verify"):
        load_engine(store, spoiled, verify=keys.public)


def test_a_statement_rewritten_to_fit_is_refused(store: Store, keys) -> None:
    forged = swapped_artifact(store, vouched(store, keys))
    fitting = replace(forged.signatures[0], statement=statement_of(forged))
    with pytest.raises(SignatureRefused, match="does not verify"):
        load_engine(store, replace(forged, signatures=(fitting,)), verify=keys.public)


def test_a_signature_moved_to_another_version_is_refused(store: Store, keys) -> None:
    first, second = vouched(store, keys), registered(store, "run-2")
    with pytest.raises(SignatureRefused, match=r"v2 is not what was signed .*found number 2; expected number 1"):
        load_engine(store, replace(second, signatures=first.signatures), verify=keys.public)


def test_a_form_that_is_not_known_is_said(store: Store, keys) -> None:
    version = vouched(store, keys)
    newer = replace(version.signatures[0], statement=replace(version.signatures[0].statement, form=2))
    with pytest.raises(SignatureRefused, match="does not know; found form 2"):
        load_engine(store, replace(version, signatures=(newer,)), verify=keys.public)


def test_a_version_from_before_the_key_is_refused_until_it_is_signed(store: Store, keys, others) -> None:
    old = registered(store, "run-1")
    raw = msgspec.json.decode(msgspec.json.encode(old))
    del raw["signatures"]  # as older catalogs have it
    assert msgspec.convert(raw, ModelVersion) == old
    with pytest.raises(SignatureRefused, match=r"late v1 is not signed; expected .*drivetrain key sign 1 --because"):
        load_engine(store, old, verify=keys.public)
    with pytest.raises(UsageError, match="needs a reason"):
        sign_version(store, "late", 1, read_signing_key(keys.private), because=" ")
    sign_version(store, "late", 1, read_signing_key(others.private), because="theirs")
    sign_version(store, "late", 1, read_signing_key(keys.private), because="trained in March")
    version = sign_version(store, "late", 1, read_signing_key(keys.private), because="again")
    assert [signature.key for signature in version.signatures] == [others.id, keys.id]
    assert store.catalog.get(ModelVersion, "late@1") == version
    for pair in (keys, others):
        assert load_engine(store, version, verify=pair.public)
    signings = [decision for decision in store.catalog.find(Decision, "late") if decision.what == "sign"]
    assert [decision.because for decision in signings] == ["again", "trained in March", "theirs"]
    assert keys.id in signings[0].evidence


def test_nothing_damaged_or_absent_is_vouched_for(store: Store, keys) -> None:
    key = read_signing_key(keys.private)
    with pytest.raises(UnknownName):
        sign_version(store, "late", 9, key, because="typo")
    version = registered(store, "run-1")
    path = store.blobs.path(version.artifacts[0].digest)
    path.chmod(0o644)
    path.write_bytes(b"{}")
    with pytest.raises(CorruptBlob):
        sign_version(store, "late", 1, key, because="careless")
    assert store.catalog.get(ModelVersion, "late@1").signatures == ()


def test_two_who_sign_at_once_both_have_signed(store: Store, keys, others, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(store, "run-1")
    commit = type(store.catalog).commit
    raced: list[bool] = []

    def slow(self: object, *records: object, **rest: object) -> int:
        if not raced:
            raced.append(True)
            sign_version(store, "late", 1, read_signing_key(others.private), because="meanwhile")
        return commit(self, *records, **rest)

    monkeypatch.setattr(type(store.catalog), "commit", slow)
    version = sign_version(store, "late", 1, read_signing_key(keys.private), because="both")
    assert {signature.key for signature in version.signatures} == {keys.id, others.id}
    with pytest.raises(Conflict):
        store.catalog.commit(version, expect={version.ref: 1})


def test_a_key_that_is_gone_opens_nothing(store: Store, keys) -> None:
    version = vouched(store, keys)
    keys.public.unlink()
    with pytest.raises(SettingsError, match=r"verify\.pem"):
        load_engine(store, version, verify=keys.public)


def test_predictions_of_a_version_are_checked_too(store: Store, keys) -> None:
    rows = pl.DataFrame({"carrier": ["UA", "AA"]})
    version = vouched(store, keys)
    assert predict_version(store, version, rows, verify=keys.public).tolist() == [0.4, 0.1]
    with pytest.raises(SignatureRefused):
        predict_version(store, replace(version, features={}), rows, verify=keys.public)

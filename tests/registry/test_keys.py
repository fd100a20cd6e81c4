from __future__ import annotations

import os
import re
import stat

import pytest

from drivetrain.core.errors import SettingsError, StoreError, UsageError
from drivetrain.registry.keys import make_keys, read_signing_key, read_verify_key


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_key_is_its_owners_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        made = make_keys(tmp_path / "deep" / "keys")
    finally:
        os.umask(before)
    assert (mode(made.private), mode(made.public), mode(tmp_path / "deep" / "keys")) == (0o600, 0o644, 0o700)
    assert made.id == read_signing_key(made.private).id == read_verify_key(made.public).id


@pytest.mark.parametrize("there", ["signing.pem", "verify.pem"])
def test_a_key_is_never_written_over(tmp_path, there):
    (tmp_path / there).write_text("a key of before")
    with pytest.raises(UsageError, match=rf"a key is there already: .*{there}"):
        make_keys(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "a key of before"


def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"can't be written to .*file"):
        make_keys(tmp_path / "file" / "keys")


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o620, 0o644, 0o610])
def test_a_private_key_that_others_may_touch_is_refused(tmp_path, bits):
    path = make_keys(tmp_path).private
    path.chmod(bits)
    with pytest.raises(SettingsError, match=rf"found mode {bits:04o}; expected 0600. Run: chmod 600 {path}"):
        read_signing_key(path)
    path.chmod(0o400)
    assert read_signing_key(path)


@pytest.mark.parametrize("read", [read_signing_key, read_verify_key])
def test_a_file_that_is_not_there_is_named(tmp_path, read):
    with pytest.raises(SettingsError, match=re.escape(str(tmp_path / "k.pem")) + r".*can't be read: No such file"):
        read(tmp_path / "k.pem")
    with pytest.raises(SettingsError, match="can't be read: Is a directory"):
        read(tmp_path)


def test_what_a_file_holds_is_said_with_its_setting(tmp_path):
    made = make_keys(tmp_path)
    made.public.chmod(0o600)
    with pytest.raises(SettingsError, match=r"verify.pem \(registry.signing_key\) can't sign; found a public key"):
        read_signing_key(made.public)
    with pytest.raises(SettingsError, match=r"signing.pem \(registry.verify_key\) .*found a private key"):
        read_verify_key(made.private)

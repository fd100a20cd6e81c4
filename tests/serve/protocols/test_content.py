from __future__ import annotations

import gzip

import pytest

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.protocols.content import inflated
from serve.protocols.asking import of


def test_a_body_may_grow_to_what_a_body_may_have_and_no_more():
    settings = ServeSettings(max_bytes=1000)
    assert len(inflated(of(gzip.compress(b" " * 1000), content_encoding="gzip"), settings)) == 1000
    with pytest.raises(RequestError, match="at most 1000 bytes") as raised:
        inflated(of(gzip.compress(b" " * 1001), content_encoding="GZIP"), settings)
    assert raised.value.status == 413

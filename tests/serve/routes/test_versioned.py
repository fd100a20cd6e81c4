from __future__ import annotations

from types import SimpleNamespace

import pytest

from drivetrain.core.errors import NotFound
from drivetrain.serve.routes.versioned import unversioned


def planes(*, version=3, router=None):
    champion = None if version is None else SimpleNamespace(record=SimpleNamespace(version=version))
    return {"late": SimpleNamespace(serving=SimpleNamespace(champion=champion, router=router))}


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/v2/models/late/versions/3", "/v2/models/late"),
        ("/v2/models/late/versions/3/ready", "/v2/models/late/ready"),
        ("/v2/models/late/versions/3/infer", "/v2/models/late/infer"),
        ("/v1/models/late/versions/3", "/v1/models/late"),
        ("/v1/models/late/versions/3:predict", "/v1/models/late:predict"),
        ("/v2/models/late/infer", "/v2/models/late/infer"),
        ("/v2/models/other/versions/1/infer", "/v2/models/other/versions/1/infer"),
        ("/v2/models/late/versions/", "/v2/models/late/versions/"),
        ("/v1/endpoints/late/versions/3", "/v1/endpoints/late/versions/3"),
    ],
)
def test_the_version_that_answers_may_be_named(path, plain):
    assert unversioned(path, planes()) == plain


@pytest.mark.parametrize(("version", "answers"), [(3, "3"), (None, "none")])
def test_another_version_does_not_answer(version, answers):
    with pytest.raises(NotFound, match=f"found 2; expected {answers}"):
        unversioned("/v2/models/late/versions/2/infer", planes(version=version))


@pytest.mark.parametrize("path", ["/v2/models/late/versions/3/infer", "/v1/models/late/versions/3:predict"])
def test_a_version_can_not_be_asked_for_where_an_experiment_chooses(path):
    with pytest.raises(NotFound, match="an experiment chooses the version"):
        unversioned(path, planes(router=object()))
    assert unversioned("/v2/models/late/versions/3/ready", planes(router=object())) == "/v2/models/late/ready"

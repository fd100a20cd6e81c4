"""A real server does what its document says: schemathesis asks it everything, with every check, and finds nothing.

``SCHEMATHESIS_EXAMPLES`` has it look longer, and at paths that name a version too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from serve.openapi import kinds
from serve.process import running
from serve.test_tokens import keep

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "")
SCOPES = ("predict", "feedback", "push", "read", "metrics")
HERE = Path(__file__).parent


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path):
    text = keep(kinds.make(tmp_path), scopes=SCOPES)
    limits = {"tokens": "on", "max_rows": 20, "allow_at": False}
    with running(tmp_path, target="serve.openapi.kinds:application", **limits) as server:
        with closing(server.client()) as client:
            client.request("HEAD", "/ping")
            answer = client.getresponse()
            assert (answer.status, answer.headers["content-length"], answer.read()) == (200, "14", b"")
        url = f"http://127.0.0.1:{server.port}/openapi.json"
        asked = ["run", url, "--header", f"Authorization: {text}", "--max-examples", EXAMPLES or "3", "--no-color"]
        # Paths that name a version share their schemas with those that don't.
        asked += [] if EXAMPLES else ["--exclude-path-regex", "version}"]
        found = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", *asked],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE.parents[2])])},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert server.process.poll() is None
    assert found.returncode == 0, found.stdout + found.stderr
    assert int(re.search(r"Tested: (\d+)", found.stdout)[1]) == (26 if EXAMPLES else 21)
    assert int(re.search(r"(\d+) generated", found.stdout)[1]) > 1000

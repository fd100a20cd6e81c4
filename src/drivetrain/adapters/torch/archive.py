"""What a TorchScript archive would do when it is run, judged from its text before anything of it is loaded.

A module is kept as TorchScript because that is the one form of PyTorch's own that loads without the module's code and
without running anybody's Python. Weights alone (safetensors, a state dict) need the code; a pickled module runs what
its pickle says. ``torch.export.load`` is meant to follow TorchScript, but as of 2.13 it unpickles without restriction
what the restricted unpickler refuses, and evaluates shape expressions as Python: a file can run anything.
TorchScript's archive is read by PyTorch's C++ reader, which makes only tensors and the archive's own classes, and its
code is a small language that is interpreted, not Python. What that language can still do to a machine is read and
write files and talk to others; an archive whose text has any of it is refused here. PyTorch calls TorchScript
deprecated since 2.5 and still ships it; ONNX Runtime, which most modules are served by, needs none of this.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from drivetrain.core.errors import StoreError

_FORBIDDEN = {
    "reads or writes files": re.compile(rb"\b(?:from_file|save)\s*\("),
    "talks to other machines": re.compile(rb"\b(?:rpc_\w+|distributed|c10d\w*|_c10d_functional\w*|symm_mem)\b"),
    "runs when it is loaded": re.compile(rb"\b__setstate__\b"),
    "holds objects of compiled extensions": re.compile(rb"\btorch\.classes\b"),
    "calls operators that are not PyTorch's own": re.compile(rb"\bops\.(?!(?:prim|aten)\.)\w+"),
}


def check_archive(path: Path) -> None:
    """Refuses a file that is no TorchScript archive, or holds code that does more than compute.

    Raises:
        StoreError: See above; the message says which.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            texts = {name: archive.read(name) for name in names if name.endswith((".py", "data.pkl", "constants.pkl"))}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise StoreError(f"{path} is no TorchScript archive: {error}") from None
    if not any("/code/" in name for name in names):
        raise StoreError(
            f"{path} holds weights or a pickle, but no program",
            expected="a TorchScript archive",
            do="Save it with drivetrain's FittedModule, or torch.jit.save",
        )
    for name, text in texts.items():
        for does, pattern in _FORBIDDEN.items():
            if found := pattern.search(text):
                raise StoreError(
                    f"{path} {does}",
                    found=f"{found[0].decode(errors='replace')} in {name}",
                    expected="a program that only computes",
                )

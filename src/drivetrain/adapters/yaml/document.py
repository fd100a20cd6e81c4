"""YAML to plain values and back."""

from __future__ import annotations

from typing import Any

import yaml

from drivetrain.core.errors import SourceError


class Document:
    """Reads and writes YAML; nothing in a document is ever run."""

    def read(self, text: str, name: str) -> Any:  # noqa: ANN401 - whatever the document holds
        """The values of a document.

        Raises:
            SourceError: It is no YAML; the message names the line.
        """
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise SourceError(f"{name} is not YAML: {reason}") from None

    def write(self, values: object) -> str:
        """The document that holds the values, in their order."""
        return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120))


document = Document()

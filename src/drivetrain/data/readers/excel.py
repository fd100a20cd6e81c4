"""Sheets of a workbook: Excel's formats and OpenDocument's."""

from __future__ import annotations

import io

import polars as pl

from drivetrain.core.errors import MissingExtra, SourceError


def read_excel(data: bytes, name: str, sheet: str | None) -> pl.DataFrame:
    """Reads one sheet; its first row names the columns.

    A column whose cells are of one type keeps it; one of several becomes text.

    Args:
        data: The workbook.
        name: What it is called, for messages.
        sheet: The sheet; the first one by default.

    Raises:
        MissingExtra: The library that reads workbooks is not installed.
        SourceError: It is no workbook, or has no such sheet.
    """
    chosen: dict[str, object] = {"sheet_name": sheet} if sheet else {"sheet_id": 1}
    try:
        rows = pl.read_excel(io.BytesIO(data), engine="calamine", infer_schema_length=None, **chosen)  # type: ignore[call-overload]
    except ModuleNotFoundError:
        raise MissingExtra(f"{name} is a workbook", do='Run: pip install "drivetrain[excel]"') from None
    except pl.exceptions.NoDataError:
        raise SourceError(f"{name} has no rows in its sheet", do="Deliver the file again") from None
    except Exception as error:  # noqa: BLE001 - calamine's errors have no base of their own
        reason = str(error).strip().partition("\n")[0]
        raise SourceError(
            f"{name} can't be read as excel: {reason}",
            found=f"{len(data)} bytes",
            do="Check the file and the name of its sheet",
        ) from None
    assert isinstance(rows, pl.DataFrame)
    return rows

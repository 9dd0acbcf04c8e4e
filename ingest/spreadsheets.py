"""Rows of Excel workbooks (.xlsx), read without loading the whole sheet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from chatbot.errors import FileError

MAX_UNPACKED = 1 << 30  # bytes; a workbook that unpacks to more is refused


def sheet_rows(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """(row number, cells as text) of the first sheet that has any, without the columns that are only formatted.

    Raises FileError where the file is no workbook, or the reader is not installed.
    """
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError as error:
        raise missing_reader(path) from error
    check_archive(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise FileError(
            f"{path.name} is no Excel workbook", value=str(error), remedy="Save it as .xlsx"
        ) from error
    try:
        for sheet in book.worksheets:
            some = False
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                cells = [_text(value) for value in row]
                while cells and not cells[-1]:
                    cells.pop()
                some = some or bool(cells)
                if cells:
                    yield number, cells
            if some:
                return
    finally:
        book.close()
    raise FileError(f"{path.name} is empty", value=path.name, remedy="Fill in its first sheet")


def check_archive(path: Path) -> None:
    """Raises FileError where an Office document is no archive, or unpacks to far more than any document is."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
    except FileNotFoundError as error:
        raise FileError("There is no such file", value=path, remedy="Check the name") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise FileError(
            f"{path.name} is no Office document, whatever its name says",
            value=str(error),
            remedy="Save it again",
        ) from error
    if size > MAX_UNPACKED:
        raise FileError(
            f"{path.name} unpacks to {size >> 20} MiB", value=path.name, remedy="Split it into smaller files"
        )


def missing_reader(path: Path) -> FileError:
    return FileError(
        f"{path.name} needs the document readers, which are not installed",
        value=path.suffix,
        remedy="Run: pip install 'frontdesk[documents]'",
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()

"""Rows of Excel workbooks (.xlsx), read without loading the whole sheet."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Any

from chatbot.errors import FileError

MAX_UNPACKED = 1 << 30  # bytes; a workbook that unpacks to more is refused
MAX_PART = 256 << 20  # of one part: a text table is held in memory whole
MAX_COLUMNS = 256  # a sheet whose formats reach to column XFD has 16,384
_MERGE = re.compile(rb'mergeCell\b[^>]*?\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_LONGEST_MERGE = 200  # bytes of one such element, which two pieces of the file may share
_MOST_MERGED = 100_000
_PIECE = 1 << 20  # bytes
_ERRORS = (
    "#REF!",
    "#N/A",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
)  # what a formula could not work out
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # also what a password-locked .docx or .xlsx is wrapped in


Row = tuple[int, Sequence[str]]  # its number, and its cells as text
_Merged = tuple[int, int]  # column from 0, last row


def sheet_rows(path: Path) -> Iterator[Row]:
    """The rows of the first sheet that has any. Raises FileError as `sheets` does."""
    for _, rows in sheets(path):
        yield from rows
        return


def sheets(path: Path) -> Iterator[tuple[str, Iterator[Row]]]:
    """(name, rows) of each sheet that has any, without the columns that are only formatted.

    A sheet's rows are read before the next sheet is asked for. Raises FileError where the file is no workbook, or the
    reader is not installed.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise missing_reader(path) from error
    check_archive(path)
    some = False
    with path.open("rb") as file:  # by its name alone it would be refused, whatever is in it
        try:
            book = load_workbook(file, read_only=True, data_only=True)
        except (
            Exception
        ) as error:  # openpyxl lets through what zipfile, zlib and expat raise on a damaged file
            raise _damaged(path, error) from error
        try:
            for sheet in book.worksheets:
                rows = _readable(path, _filled_rows(sheet, _merged_down(path, sheet)))
                first = next(rows, None)
                if first is not None:
                    some = True
                    yield sheet.title, chain([first], rows)
        finally:
            book.close()
    if not some:
        raise FileError(f"{path.name} is empty", value=path.name, remedy="Fill in its first sheet")


def _damaged(path: Path, error: Exception) -> FileError:
    return FileError(
        f"{path.name} is no Excel workbook, or a damaged one",
        value=f"{type(error).__name__}: {error}"[:200],
        remedy="Save it again as .xlsx",
    )


def _readable(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except Exception as error:  # as above: a sheet is unpacked while its rows are read
        raise _damaged(path, error) from error


def _filled_rows(sheet: Any, merged: Mapping[int, Sequence[_Merged]]) -> Iterator[Row]:
    """``merged``: by the row they begin in. What stands in a cell that was merged over rows below stands in each."""
    sheet.reset_dimensions()  # what the file says of its size pads every row with phantom cells
    held: dict[int, tuple[int, str]] = {}  # column -> last row, text
    for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), 1):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        for column, (last, text) in held.items():
            if number <= last:
                cells += [""] * (column + 1 - len(cells))
                cells[column] = cells[column] or text
        for column, last in merged.get(number, ()):
            if column < len(cells) and cells[column]:
                held[column] = last, cells[column]
        yield number, cells


def _merged_down(path: Path, sheet: Any) -> dict[int, list[_Merged]]:
    """The cells of a sheet that are merged over rows below them, by the row they begin in. The reader of single rows
    does not tell them (ECMA-376, 18.3.1.55: they stand behind the rows)."""
    from openpyxl.utils import column_index_from_string

    found: dict[int, list[_Merged]] = {}
    with zipfile.ZipFile(path) as archive, archive.open(sheet._worksheet_path) as file:
        before = b""
        while part := file.read(_PIECE):
            text = before + part
            for first, begins, _, ends in _MERGE.findall(text):
                if int(ends) > int(begins) and len(found) < _MOST_MERGED:
                    column = column_index_from_string(first.decode()) - 1
                    found.setdefault(int(begins), []).append((column, int(ends)))
            before = text[text.rfind(b"<") :][:_LONGEST_MERGE]
    return found


def check_archive(path: Path, *, part: int = MAX_PART) -> None:
    """Raises FileError where an Office document is no archive, locked, or unpacks to far more than any document is.

    ``part``: the most bytes that one of its XML parts may have. What an archive says of its sizes is what is unpacked
    at most: zipfile stops there.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            items = archive.infolist()
    except FileNotFoundError as error:
        raise FileError("There is no such file", value=path, remedy="Check the name") from error
    except (zipfile.BadZipFile, OSError) as error:
        with path.open("rb") as file:
            if file.read(4) == _OLD_OFFICE:
                raise FileError(
                    f"{path.name} is locked by a password, or an Office document from before 2007",
                    value=path.name,
                    remedy="Save it without a password, as .docx or .xlsx",
                ) from error
        raise FileError(
            f"{path.name} is no Office document, whatever its name says",
            value=str(error),
            remedy="Save it again",
        ) from error
    if any(item.flag_bits & 1 for item in items):
        raise FileError(f"{path.name} is locked by a password", value=path.name, remedy="Save it without one")
    size = sum(item.file_size for item in items)
    largest = max((item.file_size for item in items if item.filename.endswith(".xml")), default=0)
    if largest > part:
        raise FileError(
            f"{path.name} holds {largest >> 20} MiB of text in {path.stat().st_size >> 10} KiB",
            value=path.name,
            remedy="Split it into smaller files",
        )
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
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()  # a cell with a date alone is read with midnight
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value).strip()
    return "" if text in _ERRORS else text

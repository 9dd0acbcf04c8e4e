"""What an import did, in numbers and reasons: the same report in the terminal, the job and the admin page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ingest.files import RowError

ERRORS_SHOWN = 50
FILES_SHOWN = 20  # those with errors first


@dataclass
class FileReport:
    """One file. ``read`` = ``kept`` + ``duplicates`` + everything in ``dropped`` + ``errors`` (all in rows).

    ``state``: imported, already (the same content was imported before), tried (a dry run), failed.
    """

    name: str
    format: str = ""
    encoding: str = ""
    state: str = "imported"
    note: str = ""
    read: int = 0
    kept: int = 0
    unchanged: int = 0
    duplicates: int = 0
    errors: int = 0
    turns: int = 0
    examples: int = 0
    labelled: int = 0
    dropped: Counter[str] = field(default_factory=Counter)  # rows by rule
    turns_dropped: Counter[str] = field(default_factory=Counter)  # turns by rule
    languages: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    row_errors: list[RowError] = field(default_factory=list)  # the first ERRORS_SHOWN
    notes: list[str] = field(default_factory=list)  # what became of other articles
    places: list[list[str]] = field(default_factory=list)  # see `ingest.articles.gone_files.place`

    def add_error(self, error: RowError) -> None:
        self.errors += 1
        if len(self.row_errors) < ERRORS_SHOWN:
            self.row_errors.append(error)

    def as_json(self) -> dict[str, Any]:
        body = {
            key: dict(value.most_common()) if isinstance(value, Counter) else value
            for key, value in vars(self).items()
        }
        body["row_errors"] = [
            {"line": e.line, "message": e.message, "value": e.value, "remedy": e.remedy}
            for e in self.row_errors
        ]
        return body

    @classmethod
    def from_json(cls, stored: dict[str, Any], *, name: str) -> FileReport:
        """The report of an import that goes on."""
        report = cls(name=name)
        for key, value in stored.items():
            kind = getattr(report, key, None)
            if key == "row_errors":
                report.row_errors = [RowError(**row) for row in value]
            elif isinstance(kind, Counter):
                kind.update(value)
            elif kind is not None and key != "name":
                setattr(report, key, value)
        return report


@dataclass
class ImportReport:
    """All files of one call."""

    kind: str
    files: list[FileReport] = field(default_factory=list)
    seconds: float = 0.0
    dry_run: bool = False
    remarks: list[str] = field(default_factory=list)  # about no single file

    def total(self, name: str) -> int:
        return sum(getattr(file, name) for file in self.files)

    def counted(self, name: str) -> Counter[str]:
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(getattr(file, name))
        return total

    @property
    def read(self) -> int:
        return self.total("read")

    @property
    def kept(self) -> int:
        return self.total("kept")

    @property
    def duplicates(self) -> int:
        return self.total("duplicates")

    @property
    def errors(self) -> int:
        return self.total("errors")

    @property
    def dropped(self) -> Counter[str]:
        return self.counted("dropped")

    @property
    def languages(self) -> Counter[str]:
        return self.counted("languages")

    @property
    def tags(self) -> Counter[str]:
        return self.counted("tags")

    @property
    def row_errors(self) -> list[tuple[str, RowError]]:
        """(file name, error), the first ERRORS_SHOWN."""
        return [(file.name, error) for file in self.files for error in file.row_errors][:ERRORS_SHOWN]

    @property
    def notes(self) -> list[str]:
        told = sorted(self.files, key=lambda file: file.state != "failed")
        notes = [note for file in told for note in (file.note, *file.notes) if note]
        more = len(notes) - FILES_SHOWN
        if more > 0:
            notes = [*notes[:FILES_SHOWN], f"and {more} more files like these"]
        return [*self.remarks, *notes]

    def as_json(self) -> dict[str, Any]:
        numbers = ("read", "kept", "unchanged", "duplicates", "errors", "turns", "examples", "labelled")
        body: dict[str, Any] = {"kind": self.kind, "dry_run": self.dry_run, "seconds": round(self.seconds, 2)}
        body |= {name: self.total(name) for name in numbers}
        body |= {
            name: dict(self.counted(name).most_common())
            for name in ("dropped", "turns_dropped", "languages", "tags")
        }
        body["notes"] = self.notes
        body["row_errors"] = [
            {"file": name, "line": e.line, "message": e.message, "value": e.value, "remedy": e.remedy}
            for name, e in self.row_errors
        ]
        told = [file for file in self.files if file.state == "failed" or file.errors]
        told += [file for file in self.files if file not in told]
        body["files"] = [
            {
                "name": file.name,
                "format": file.format,
                "encoding": file.encoding,
                "state": file.state,
                "read": file.read,
                "kept": file.kept,
            }
            for file in told[:FILES_SHOWN]
        ]
        body["n_files"] = len(self.files)
        return body

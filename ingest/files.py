"""A file as the readers see it: opened once, its encoding found out, its bytes counted, its lines numbered.

Nothing is read whole: a line has an upper length, and everything else is a stream. What cannot be text (a picture,
a spreadsheet, a program) is refused by its first bytes, whatever its name says.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from charset_normalizer import from_bytes

from chatbot.errors import FileError, InputError
from ingest.encodings import Guess, guess_encoding

# by who imports: the encodings of files, or under None that of all
_told: ContextVar[Mapping[Path | None, str] | None] = ContextVar("encodings", default=None)

HEAD = 256 * 1024  # bytes that decide about encoding and format
MAX_LINE = 64 * 1024 * 1024  # bytes; one conversation a line is far below

_MAGIC = {
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
}


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that could not be taken in, and why. ``line`` counts from 1."""

    line: int
    message: str
    value: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What a report tells of a file besides its rows."""

    text: str


@dataclass
class TextFile:
    """A text file to be read from the beginning. ``position`` is how many of ``size`` bytes were read so far."""

    path: Path
    size: int
    compressed: bool
    encoding: str
    head: str  # the first characters, decoded
    complete: bool  # whether ``head`` is all there is
    position: int = 0
    sure: bool = True  # of its encoding

    def doubt(self) -> str | None:
        """What a report tells of a file that reads well in several encodings, or in none."""
        if self.sure:
            return None
        return (
            f"{self.path.name} was read as {self.encoding}, which is not certain: if its letters are wrong, save it as "
            "UTF-8, or import it with its encoding told (--encoding)"
        )

    def lines(self) -> Iterator[tuple[int, str | RowError]]:
        """(line number, line without its end); a line that cannot be decoded or is too long is a RowError.

        Raises FileError where the file breaks off in the middle of its compression.
        """
        if self.encoding.startswith("utf-16"):
            yield from self._wide_lines()
            return
        fallback = "gb18030" if self.encoding == "utf-8" and self.head.isascii() else None
        with self.open() as file:
            number = 0
            for raw in self._raw_lines(file):
                number += 1
                if len(raw) > MAX_LINE:
                    yield (
                        number,
                        RowError(
                            number,
                            f"The line is longer than {MAX_LINE >> 20} MiB",
                            raw[:60].decode(self.encoding, "replace"),
                            "Write one conversation a line",
                        ),
                    )
                    continue
                if number == 1:
                    raw = raw.removeprefix(codecs.BOM_UTF8)
                yield number, self._decoded(raw.rstrip(b"\r\n"), number, fallback)

    def characters(self) -> Iterator[str]:
        """The text in pieces; bytes that cannot be decoded become U+FFFD."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        first = True
        with self.open() as file:
            while raw := self._read(file, 1 << 20):
                piece = decoder.decode(raw)
                yield piece.removeprefix("\ufeff") if first else piece
                first = False
        yield decoder.decode(b"", True)

    def text(self, *, limit: int) -> str:
        """The whole text. Raises FileError where it is longer than ``limit`` bytes or not in its encoding."""
        with self.open() as file:
            raw = self._read(file, limit + 1)
        if len(raw) > limit:
            raise FileError(
                f"{self.path.name} is larger than {limit >> 20} MiB",
                value=f"{self.size} bytes",
                remedy="Split it into smaller files",
            )
        try:
            return raw.decode(self.encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise FileError(
                f"{self.path.name} is not {self.encoding} from byte {error.start} on",
                value=repr(raw[error.start : error.start + 12]),
                remedy="Save it as UTF-8",
            ) from error

    def open(self) -> IO[bytes]:
        return cast(IO[bytes], gzip.open(self.path, "rb")) if self.compressed else self.path.open("rb")

    def _read(self, file: IO[bytes], count: int) -> bytes:
        try:
            raw = file.read(count)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _broken_archive(self.path, error) from error
        self._count(file)
        return raw

    def _raw_lines(self, file: IO[bytes]) -> Iterator[bytes]:
        while True:
            try:
                raw = file.readline(MAX_LINE + 1)
                if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
                    while (more := file.readline(MAX_LINE)) and not more.endswith(b"\n"):
                        pass
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise _broken_archive(self.path, error) from error
            if not raw:
                return
            self._count(file)
            yield raw

    def _count(self, file: IO[bytes]) -> None:
        under = file.fileobj if isinstance(file, gzip.GzipFile) else file
        self.position = under.tell() if under is not None else self.position

    def _decoded(self, raw: bytes, number: int, fallback: str | None) -> str | RowError:
        for encoding in (self.encoding, fallback):
            try:
                if encoding:
                    return raw.decode(encoding)
            except UnicodeDecodeError:
                continue
        return RowError(
            number,
            f"The line is not {self.encoding.upper()}",
            raw[:60].decode(self.encoding, "replace"),
            "Save the file as UTF-8",
        )

    def _wide_lines(self) -> Iterator[tuple[int, str | RowError]]:
        with self.open() as file:
            text = io.TextIOWrapper(file, encoding=self.encoding, errors="replace", newline=None)
            for number, line in enumerate(text, 1):
                yield number, line.rstrip("\n").removeprefix("\ufeff")


def open_text(path: Path) -> TextFile:
    """Look at a file before reading it.

    Raises FileError, naming the file and the remedy, where there is none, where it is a folder, empty, no text, or in
    an encoding that cannot be told.
    """
    size = _checked_size(path)
    with path.open("rb") as plain:
        compressed = plain.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if compressed else path.open("rb") as file:
            raw = file.read(HEAD)
            complete = len(raw) < HEAD
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _broken_archive(path, error) from error
    if not raw.strip():
        raise FileError(
            f"{path.name} is empty", value=path.name, remedy="Export it again and check the filter"
        )
    for magic, what in _MAGIC.items():
        if raw.startswith(magic):
            raise FileError(
                f"{path.name} is {what}, not text",
                value=path.name,
                remedy="Export it as JSON, JSON Lines or CSV",
            )
    guess = _encoding(path, raw, complete)
    head = codecs.getincrementaldecoder(guess.encoding)("replace").decode(raw).removeprefix("\ufeff")
    return TextFile(path, size, compressed, guess.encoding, head, complete, sure=guess.sure)


@contextmanager
def read_as(encoding: str | Mapping[Path, str] | None) -> Iterator[None]:
    """Inside, all files are read in this encoding, or each in the one given for it, whatever they look like; None: as
    they look.

    Raises InputError for an encoding that is not known, or of no text.
    """
    given: dict[Path | None, str] = {}
    if isinstance(encoding, Mapping):
        given.update(encoding.items())
    elif encoding is not None:
        given[None] = encoding
    token = _told.set({path: known_encoding(name) for path, name in given.items()})
    try:
        yield
    finally:
        _told.reset(token)


def known_encoding(name: str) -> str:
    """Python's name of an encoding. Raises InputError for one that is not known, or of no text."""
    try:
        "a".encode(name)
    except (LookupError, UnicodeError) as error:
        raise InputError(
            "There is no such encoding",
            field="encoding",
            value=name[:40],
            remedy="Use a name such as utf-8, gb18030, big5, shift_jis, euc_kr or cp1252",
        ) from error
    return codecs.lookup(name).name


def content_hash(path: Path) -> str:
    """SHA-256 of the file's bytes. Raises FileError where it cannot be read."""
    _checked_size(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_size(path: Path) -> int:
    try:
        if path.is_dir():
            raise FileError(
                f"{path} is a folder", value=path, remedy=f"Name the files in it: {path.name}/*.jsonl"
            )
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise FileError("There is no such file", value=path, remedy="Check the name") from error
    except OSError as error:
        raise FileError(
            f"{path.name} cannot be read: {error.strerror}", value=path, remedy="Check its permissions"
        ) from error
    if size == 0:
        raise FileError(
            f"{path.name} is empty", value=path.name, remedy="Export it again and check the filter"
        )
    return size


def _broken_archive(path: Path, error: Exception) -> FileError:
    return FileError(
        f"{path.name} is a damaged gzip file: {error}", value=path.name, remedy="Copy or export it again"
    )


def _encoding(path: Path, raw: bytes, complete: bool) -> Guess:
    given = _told.get() or {}
    told = given.get(path) or given.get(None)
    if told is not None:
        return Guess(told, True)
    for bom, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(bom):
            return Guess(name, True)
    if b"\x00" in raw:
        raise FileError(
            f"{path.name} is not text: it has NUL bytes", value=path.name, remedy="Export it as JSON or CSV"
        )
    if _decodes(raw, "utf-8", complete):
        return Guess("utf-8", True)
    guess = guess_encoding(raw, complete=complete)
    if guess is not None:
        return guess
    other = from_bytes(raw[: 64 * 1024]).best()
    if other is None or other.chaos > 0.2:
        # one broken line in a UTF-8 file must not condemn the others
        text = raw.decode("utf-8", "replace")
        if text.count("\ufffd") <= max(3, len(text) // 200):
            return Guess("utf-8", True)
        raise FileError(
            f"The encoding of {path.name} cannot be told", value=path.name, remedy="Save it as UTF-8"
        )
    return Guess("gb18030" if other.encoding in ("gb2312", "gbk", "hz") else other.encoding, False)


def _decodes(raw: bytes, encoding: str, complete: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(raw, complete)
    except UnicodeDecodeError:
        return False
    return True

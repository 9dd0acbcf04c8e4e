"""Files into the database, with a report: past conversations, articles, intents.

A transcript file is taken in by batches. A batch's rows, the place reached in the file, and the report so far are
committed together, so a process that dies anywhere leaves whole batches behind and the next start goes on after
them. The same file again is a no-op; the same conversation in another file counts as a duplicate.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from chatbot.errors import FileError, FrontdeskError
from chatbot.language.redaction import RedactionRules
from chatbot.records import examples, imports
from chatbot.records.database import Database
from chatbot.records.intents import intent_ids
from chatbot.records.knowledge import redaction_rules, withdraw_article
from chatbot.records.passages import check_language
from ingest.articles.formats import article_files
from ingest.articles.gone_files import articles_of_gone_files
from ingest.articles.taking_in import named, take_in_articles
from ingest.articles.telling_apart import ImportSources
from ingest.cleaning import Batch, Hashed, cleaned_ahead
from ingest.files import RowError, content_hash
from ingest.intents import take_in_intents
from ingest.preparing import Dropped, Prepared, content_hash_of, label_key, tagged
from ingest.report import FileReport, ImportReport
from ingest.storing import store_conversations
from ingest.transcripts.comments import CommentIndex, split_comment_files
from ingest.transcripts.formats import Reading, Row, open_transcripts

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
BATCH = 200  # conversations a transaction
MOST_NAMED = 20  # files of which it is said why none could be read


def import_transcripts(
    database: Database,
    paths: Sequence[Path],
    *,
    format: str = "auto",
    dry_run: bool = False,
    progress: Progress | None = None,
    batch: int = BATCH,
    rules: RedactionRules | None = None,
    again: bool = False,
    columns: Mapping[str, str] | None = None,
) -> ImportReport:
    """Take in past conversations. ``progress`` is called with (stage, fraction), never inside a transaction.

    ``rules`` say what is personal; by default our own, less what the imported articles publish. ``again`` reads a
    file that was imported before once more. ``dry_run`` reads and reports, and stores nothing. A file that cannot be
    read at all is reported and the others are taken in; raises its FileError where no file could be read, and
    InputError for an unknown format or a column that is not there. ``columns`` says under which heading of a table
    each field stands (`ingest.transcripts.table.named_columns`). A file that holds a helpdesk's comments without
    their tickets belongs to the tickets in the other files.
    """
    if rules is None:
        with database.read() as session:
            rules = redaction_rules(session)
    tickets, apart = split_comment_files(paths)
    with CommentIndex.of(apart) as comments:

        def take(path: Path, report: FileReport, stage: str) -> None:
            reading = open_transcripts(path, format=format, comments=comments, columns=columns)
            report.format, report.encoding = reading.format.name, reading.file.encoding
            if doubt := reading.file.doubt():
                report.notes.append(doubt)
            run = _TranscriptImport(database, reading, report, rules, batch, progress, stage)
            if dry_run:
                run.try_out()
            else:
                digest = comments.joint_hash(content_hash(path), reading.format.name)
                run.take_in(_with_columns(digest, reading.columns), again=again)

        return _each_file("transcripts", tickets, take, dry_run=dry_run)


def import_articles(
    database: Database,
    paths: Sequence[Path],
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    lang: str = "",
    columns: Mapping[str, str] | None = None,
    prune: bool = False,
) -> ImportReport:
    """Take in help articles and FAQ files; folders are walked. A file is read whole before any of it is stored.

    ``lang``: of all the articles; without it each file or row says it, or its text does. ``columns``: the headings of
    question and answer in tables. ``prune``: switch off what files held that a folder has no more; the report names it
    either way. Raises FileError where not one file could be read, InputError for what is no language.
    """
    if lang:
        check_language(lang)
    files = list(article_files(paths))
    sources = ImportSources(paths, files)
    done = itertools.count(1)

    def take(path: Path, report: FileReport, stage: str) -> None:
        take_in_articles(database, path, report, sources=sources, dry_run=dry_run, lang=lang, columns=columns)
        if progress:
            progress("articles", next(done) / len(files))

    report = _each_file("articles", files, take, dry_run=dry_run)
    _look_for_gone(database, sources, report, prune=prune and not dry_run)
    return report


def _look_for_gone(database: Database, sources: ImportSources, report: ImportReport, *, prune: bool) -> None:
    with database.write() if prune else database.read() as session:
        gone = articles_of_gone_files(session, sources.roots, sources)
        titles = named([article.title for article in gone])
        if prune:
            for article in gone:
                withdraw_article(session, article)
    if gone and prune:
        report.remarks.append(
            f"{len(gone)} articles of files that are no longer there were switched off: {titles}"
        )
    elif gone:
        report.remarks.append(
            f"{len(gone)} articles of files that are no longer there stay live: {titles}; import the folder with "
            "--prune to switch them off"
        )


def import_intents(
    database: Database, paths: Sequence[Path], *, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Take in intents with their titles and approved answers (YAML). Raises FileError where no file could be read."""

    def take(path: Path, report: FileReport, stage: str) -> None:
        take_in_intents(database, path, report, dry_run=dry_run)
        if progress:
            progress(stage, 1.0)

    return _each_file("intents", paths, take, dry_run=dry_run)


def _each_file(
    kind: str, paths: Sequence[Path], take: Callable[[Path, FileReport, str], None], *, dry_run: bool
) -> ImportReport:
    started = time.monotonic()
    report = ImportReport(kind, dry_run=dry_run)
    refused: list[FrontdeskError] = []
    if not paths:
        raise FileError("No file was named", field="paths", remedy="Name at least one file")
    for path in paths:
        file = FileReport(path.name, state="tried" if dry_run else "imported")
        report.files.append(file)
        try:
            take(path, file, f"{kind}: {path.name}")
        except FileError as error:
            file.state, file.note = "failed", error.one_line()
            refused.append(error)
            log.warning("%s", error.one_line())
    report.seconds = time.monotonic() - started
    if len(refused) == len(paths):
        raise _none_read(refused)
    return report


def _none_read(refused: Sequence[FrontdeskError]) -> FrontdeskError:
    """What is wrong with the one file, or with each of several."""
    if len(refused) == 1:
        return refused[0]
    told = [error.one_line() for error in refused[:MOST_NAMED]]
    if len(refused) > MOST_NAMED:
        told.append(f"and {len(refused) - MOST_NAMED} more files like these")
    return FileError(f"None of the {len(refused)} files could be read; {'; '.join(told)}")


def _with_columns(digest: str, columns: Mapping[str, str] | None) -> str:
    """The same table read by other columns is another import."""
    if not columns:
        return digest
    return hashlib.sha256(f"{digest} {sorted(columns.items())}".encode()).hexdigest()


class _TranscriptImport:
    """One transcript file on its way into the database."""

    def __init__(
        self,
        database: Database,
        reading: Reading,
        report: FileReport,
        rules: RedactionRules,
        batch: int,
        progress: Progress | None,
        stage: str,
    ) -> None:
        self.database = database
        self.reading = reading
        self.report = report
        self.rules = rules
        self.batch = batch
        self.progress = progress
        self.stage = stage
        with database.read() as session:
            self.intents = intent_ids(session)  # name -> id
        self.labels = {label_key(name): name for name in self.intents}

    def take_in(self, file_hash: str, *, again: bool) -> None:
        with self.database.write() as session:
            row = imports.find_import(session, kind="transcripts", file_hash=file_hash)
            if row is not None and row.state == "done" and not again and row.format == self.report.format:
                self._already(row.report, row.finished_at)
                return
            row = imports.begin_import(
                session,
                kind="transcripts",
                file_name=self.report.name,
                file_hash=file_hash,
                format=self.report.format,
                again=again,
            )
            import_id, at, stored = row.id, row.next_row, row.report
        if at:
            self._resume(stored, at)
        rows = itertools.islice(self.reading.rows(), at, None)
        try:
            for part in self._cleaned(rows):
                prepared, before = self._prepare(part), self.intents.keys()
                with self.database.write() as session:
                    new = self._store(session, prepared, import_id)
                    imports.advance_import(
                        session,
                        import_id,
                        expected=at,
                        next_row=at + len(part.rows),
                        report=self.report.as_json(),
                    )
                self.intents = {**self.intents, **new}
                self.labels |= {label_key(name): name for name in self.intents.keys() - before}
                at += len(part.rows)
                self._tell()
            with self.database.write() as session:
                report = self.report.as_json()
                imports.advance_import(session, import_id, expected=at, next_row=at, report=report, done=True)
        except FileError as error:  # the file breaks off: what came before stays
            with self.database.write() as session:
                imports.fail_import(session, import_id, report=self.report.as_json())
            if not at:
                raise
            self.report.state, self.report.note = "failed", error.one_line()

    def try_out(self) -> None:
        """Read and prepare everything, store nothing."""
        seen: set[str] = set()
        for part in self._cleaned(self.reading.rows()):
            for item in self._prepare(part):
                if item.content_hash in seen:
                    self.report.duplicates += 1
                else:
                    seen.add(item.content_hash)
                    self._count(item)
            self._tell()

    def _already(self, stored: dict[str, Any], when: object) -> None:
        before = FileReport.from_json(stored, name=self.report.name)
        self.report.state = "already"
        self.report.note = (
            f"{self.report.name} was imported before ({when:%Y-%m-%d %H:%M} UTC, {before.kept} conversations kept); "
            "nothing to do"
        )

    def _resume(self, stored: dict[str, Any], at: int) -> None:
        before = FileReport.from_json(stored, name=self.report.name)
        for key, value in vars(before).items():
            if key not in ("name", "format", "encoding", "state"):
                setattr(self.report, key, value)
        self.report.note = f"{self.report.name}: went on at row {at + 1} where the last attempt stopped"

    def _cleaned(self, rows: Iterator[Row]) -> Iterator[Batch]:
        return cleaned_ahead(
            (self._asked(part) for part in _batches(rows, self.batch)),
            rules=self.rules,
            size=self.reading.file.size,
        )

    def _asked(self, rows: Sequence[Row]) -> tuple[Sequence[Row], list[Hashed]]:
        """The rows, and those among them that are not in the database yet."""
        found = [(row, content_hash_of(row)) for row in rows if not isinstance(row, RowError)]
        with self.database.read() as session:
            known = examples.known_transcripts(session, {digest for _, digest in found})
        return rows, [(row, digest) for row, digest in found if digest not in known]

    def _prepare(self, part: Batch) -> list[Prepared]:
        """What is to be stored of a batch; counts what is not."""
        self.report.read += len(part.rows)
        for row in part.rows:
            if isinstance(row, RowError):
                self.report.add_error(row)
            else:
                self.report.turns += len(row.turns)
        with self.database.read() as session:  # batches before it were stored since it was asked
            known = examples.known_transcripts(session, {digest for _, digest in part.asked})
        conversations = sum(not isinstance(row, RowError) for row in part.rows)
        self.report.duplicates += conversations - len(part.asked)
        ready = []
        for (transcript, digest), item in zip(part.asked, part.cleaned, strict=True):
            if digest in known:
                self.report.duplicates += 1
                continue
            self.report.turns_dropped.update(item.dropped_turns)
            if isinstance(item, Dropped):
                self.report.dropped[item.rule] += 1
            else:
                ready.append(tagged(item, transcript, self.labels))
        return ready

    def _store(self, session: Session, prepared: Sequence[Prepared], import_id: int) -> dict[str, int]:
        """One batch into the tables; returns the intents made on the way."""
        stored = store_conversations(session, prepared, intents=self.intents, import_id=import_id)
        self.report.duplicates += len(prepared) - len(stored.conversations)
        for item in stored.conversations:
            self._count(item)
        return stored.new_intents

    def _count(self, item: Prepared) -> None:
        self.report.kept += 1
        self.report.examples += len(item.questions)
        self.report.labelled += item.tag is not None or item.out_of_scope
        self.report.languages[item.lang] += 1
        if item.tag:
            self.report.tags[item.tag] += 1

    def _tell(self) -> None:
        if self.progress:
            self.progress(self.stage, self.reading.fraction)


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Lists of up to ``size`` rows. Where the file breaks off, what came before is given first."""
    while True:
        part: list[Row] = []
        broken: FileError | None = None
        try:
            part.extend(itertools.islice(rows, size))
        except FileError as error:
            broken = error
        if part:
            yield part
        if broken:
            raise broken
        if len(part) < size:
            return

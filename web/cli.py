"""The ``frontdesk`` command: each sub-command is a thin wrapper around one library function.

Everything but click is imported inside the command that needs it, so that ``frontdesk --help`` stays quick.
Exit status: 0 done, 1 it could not be done, 2 the input was wrong, 130 interrupted. An error that we know is one
line on stderr, ``error: …``; a traceback means a defect of ours.
"""

from __future__ import annotations

import ast
import importlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chatbot.errors import FrontdeskError

if TYPE_CHECKING:
    from chatbot.records.database import Database
    from chatbot.settings import Settings
    from ingest.report import ImportReport

FILES = click.Path(
    path_type=Path
)  # whether a file is there is said by the importer, in the same words everywhere
INPUT_STATUS = (404, 409, 413, 422)


class CommandLine(click.Group):
    """The outermost group: our own errors become one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FrontdeskError as error:
            click.echo(f"error: {error.one_line()}", err=True)
            ctx.exit(2 if error.status in INPUT_STATUS else 1)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(130)
        except OSError as error:
            if error.filename is None:
                raise
            click.echo(f"error: {error.filename}: {error.strerror}.", err=True)
            ctx.exit(1)
        except Exception as error:
            line = database_error(error)
            if line is None:
                raise
            click.echo(f"error: {line}", err=True)
            ctx.exit(1)


def database_error(error: Exception) -> str | None:
    """A line for a database that is away, locked or too old; None where it is something else."""
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import DBAPIError

    if not isinstance(error, DBAPIError):
        return None
    cause = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    return f"The database does not answer: {cause}. Check FRONTDESK_DATABASE_URL, then run: frontdesk db upgrade."


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="frontdesk")
def main() -> None:
    """A customer-service bot trained on your own conversations, running on your own machine."""


def load_settings(**changes: Any) -> Settings:
    """The settings with what the command line says instead. Raises InputError for an unusable value."""
    from pydantic import ValidationError

    from chatbot.errors import InputError
    from chatbot.settings import Settings

    try:
        return Settings(**{name: value for name, value in changes.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise InputError(
            f"The setting {name if name == 'PORT' else f'FRONTDESK_{name.upper()}'} is not usable: {first['msg']}",
            field=name,
            value=first.get("input"),
            remedy="docs/settings.md lists the settings",
        ) from error


def log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )


def open_database(settings: Settings) -> Database:
    """The database, with its newest schema.

    SQLite in our own data folder is brought up to date here: it has one owner. A PostgreSQL that several
    processes use is not changed behind their backs: raises ConflictError where it is behind.
    """
    from chatbot.errors import ConflictError
    from chatbot.records import schema
    from chatbot.records.database import Database

    database = Database(settings.database)
    if not schema.is_current(database):
        if not database.is_sqlite:
            raise ConflictError("The database has an older schema", remedy="Run: frontdesk db upgrade")
        schema.upgrade(database)
    return database


def write_json(path: Path | None, body: Any) -> None:
    """To a file, or to stdout where the path is ``-``."""
    if path is None:
        return
    text = json.dumps(body, ensure_ascii=False, indent=2, default=str)
    if str(path) == "-":
        click.echo(text)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")


# --- the service -----------------------------------------------------------------------------------------


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT, 5000).")
@click.option("--no-serve", is_flag=True, help="Build and train, then stop.")
def demo(host: str | None, port: int | None, no_serve: bool) -> None:
    """Build the demo company, train its bot and serve it."""
    from web import serve as serving
    from web.demo import prepare
    from web.terminal import TerminalProgress

    settings = load_settings(host=host, PORT=port)
    log_to_stderr("WARNING")
    if not no_serve:
        serving.check_port(settings)  # before minutes of work, not after
    database = open_database(settings)
    with TerminalProgress() as progress:
        release_id = prepare(database, settings, progress=progress)
    click.echo(f"The demo's bot is ready: release {release_id}.")
    if no_serve:
        return
    for line in serving.first_steps(database, settings):
        click.echo(line)
    database.dispose()
    serving.serve(settings)


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT, 5000).")
@click.option("--web-only", is_flag=True, help="The web server alone, without a worker beside it.")
def serve(host: str | None, port: int | None, web_only: bool) -> None:
    """Serve the chat, the widget and the admin area, with a worker."""
    from web import serve as serving

    settings = load_settings(host=host, PORT=port)
    log_to_stderr(settings.log_level)
    if web_only:
        serving.serve_web(settings)
        return
    serving.check_port(settings)
    database = open_database(settings)
    for line in serving.first_steps(database, settings):
        click.echo(line)
    database.dispose()
    serving.serve(settings)


@main.command()
@click.option("--until-idle", is_flag=True, help="Stop when nothing is queued any more.")
def worker(until_idle: bool) -> None:
    """Do queued work: imports and retraining."""
    from web.worker import run_worker

    settings = load_settings()
    log_to_stderr(settings.log_level)
    open_database(settings).dispose()
    run_worker(settings, until_idle=until_idle)


# --- the database ----------------------------------------------------------------------------------------


@main.group()
def db() -> None:
    """The conversation database's schema."""


@db.command("upgrade")
@click.argument("revision", default="head")
def db_upgrade(revision: str) -> None:
    """Bring the schema up to date (or to REVISION)."""
    from chatbot.records import schema
    from chatbot.records.database import Database

    database = Database(load_settings().database)
    schema.upgrade(database, revision)
    click.echo(f"The database is at {schema.current_revision(database)}.")


@db.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="This can lose data. Go on?")
def db_downgrade(revision: str) -> None:
    """Take the schema back to REVISION (base: nothing)."""
    from chatbot.records import schema
    from chatbot.records.database import Database

    database = Database(load_settings().database)
    schema.downgrade(database, revision)
    click.echo(f"The database is at {schema.current_revision(database) or 'base'}.")


@db.command("check")
def db_check() -> None:
    """Say whether the schema is up to date (exit status 1 where it is not)."""
    from chatbot.errors import UnavailableError
    from chatbot.records import schema
    from chatbot.records.database import Database

    database = Database(load_settings().database)
    if not schema.is_current(database):
        raise UnavailableError(
            f"The database is at {schema.current_revision(database) or 'base'}, which is not the newest schema",
            remedy="Run: frontdesk db upgrade",
        )
    click.echo(f"The database is up to date ({schema.current_revision(database)}).")


# --- a company's own material -----------------------------------------------------------------------------


@main.group()
def ingest() -> None:
    """Take in transcripts, articles and intents."""


@ingest.command("transcripts")
@click.argument("files", nargs=-1, required=True, type=FILES)
@click.option("--format", "format_", default="auto", show_default=True, help="Shape of the files.")
@click.option("--dry-run", is_flag=True, help="Read and report, store nothing.")
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_transcripts(files: tuple[Path, ...], format_: str, dry_run: bool, json_out: Path | None) -> None:
    """Past conversations of customers with agents."""
    from ingest.importing import import_transcripts
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    with TerminalProgress() as progress:
        report = import_transcripts(
            open_database(settings), list(files), format=format_, dry_run=dry_run, progress=progress
        )
    _print_report(report, json_out)


@ingest.command("articles")
@click.argument("paths", nargs=-1, required=True, type=FILES)
@click.option("--dry-run", is_flag=True, help="Read and report, store nothing.")
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_articles(paths: tuple[Path, ...], dry_run: bool, json_out: Path | None) -> None:
    """Help articles and FAQ files; a folder is walked."""
    from ingest.importing import import_articles
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    with TerminalProgress() as progress:
        report = import_articles(open_database(settings), list(paths), dry_run=dry_run, progress=progress)
    _print_report(report, json_out)


@ingest.command("intents")
@click.argument("file", type=FILES)
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def ingest_intents(file: Path, json_out: Path | None) -> None:
    """Intents with their titles and approved answers (YAML)."""
    from ingest.importing import import_intents
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    with TerminalProgress() as progress:
        report = import_intents(open_database(settings), [file], progress=progress)
    _print_report(report, json_out)


def _print_report(report: ImportReport, json_out: Path | None) -> None:
    from web.terminal import print_import

    body = report.as_json()
    write_json(json_out, body)
    if str(json_out) != "-":
        print_import(body)


# --- training and releases --------------------------------------------------------------------------------


@main.command()
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where to train (default: the setting)."
)
@click.option("--seed", default=13, show_default=True, help="Same data, same seed, same bot.")
@click.option("--json", "json_out", type=FILES, help="Write the outcome to a file (- for stdout).")
def retrain(device: str | None, seed: int, json_out: Path | None) -> None:
    """Train a new release from what is in the database and, if it is no worse, make it live."""
    from chatbot.learning.retraining import retrain as run
    from web.jobs import as_result
    from web.terminal import TerminalProgress, print_values

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with TerminalProgress() as progress:
        outcome = run(database, settings, device=device or settings.device, seed=seed, progress=progress)
    body = as_result(outcome)
    write_json(json_out, body)
    if str(json_out) != "-":
        shown = {key: body[key] for key in ("release_id", "status", "reason", "seconds", "skipped")}
        print_values("Release", shown)


@main.command()
@click.option("--release", "release_id", metavar="ID", help="The release to measure (default: the live one).")
@click.option("--json", "json_out", type=FILES, help="Write the figures to a file (- for stdout).")
def evaluate(release_id: str | None, json_out: Path | None) -> None:
    """Measure a release on its frozen set."""
    from chatbot.learning.release_figures import measure_release
    from web.terminal import TerminalProgress, print_values

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with TerminalProgress() as progress:
        body = measure_release(database, settings, release_id=release_id, progress=progress).as_json()
    write_json(json_out, body)
    if str(json_out) != "-":
        for part in ("classifier", "search"):  # the tables of single intents are in the JSON
            shown = {
                k: v for k, v in (body[part] or {}).items() if k not in ("intents", "labels", "confusion")
            }
            print_values(f"{part} of {body['release']}, {body['split']} examples", shown)


@main.group()
def releases() -> None:
    """Trained releases: list, promote, roll back."""


@releases.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def releases_list(as_json: bool) -> None:
    """All releases, newest first; the live one is marked."""
    from chatbot.learning.releases import list_releases
    from web.jobs import as_result
    from web.terminal import out, table

    rows = list_releases(open_database(load_settings()))
    if as_json:
        write_json(Path("-"), [as_result(row) for row in rows])
        return
    if not rows:
        click.echo("No releases yet. Make one with: frontdesk retrain")
        return
    out().print(
        table(
            "",
            ("", "release", "status", "made", "reason"),
            [
                ("●" if row.live else "", row.id, row.status, f"{row.created_at:%Y-%m-%d %H:%M}", row.reason)
                for row in rows
            ],
        )
    )


@releases.command("show")
@click.argument("release_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def releases_show(release_id: str, as_json: bool) -> None:
    """One release with its figures and what the gate said."""
    from chatbot.learning.releases import get_release
    from web.jobs import as_result
    from web.terminal import print_values

    body = as_result(get_release(open_database(load_settings()), release_id))
    if as_json:
        write_json(Path("-"), body)
    else:
        print_values(release_id, body)


@releases.command("promote")
@click.argument("release_id", metavar="ID")
@click.option("--reason", default="promoted from the command line", help="Why; kept with the promotion.")
def releases_promote(release_id: str, reason: str) -> None:
    """Make a release live."""
    from chatbot.learning.releases import promote

    settings = load_settings()
    promote(open_database(settings), settings, release_id, reason=reason)
    click.echo(f"{release_id} is live.")


@releases.command("rollback")
@click.option("--reason", default="rolled back from the command line", help="Why; kept with the promotion.")
def releases_rollback(reason: str) -> None:
    """Go back to the release that was live before."""
    from chatbot.learning.releases import rollback

    settings = load_settings()
    click.echo(f"{rollback(open_database(settings), settings, reason=reason)} is live.")


@main.command()
@click.argument("text")
@click.option("--lang", help="Language of the visitor's page: en, zh …")
@click.option("--json", "as_json", is_flag=True, help="The reply and its whole trace as JSON.")
@click.option("--release", "release_id", metavar="ID", help="Ask this release (default: the live one).")
def chat(text: str, lang: str | None, as_json: bool, release_id: str | None) -> None:
    """One message in, the reply with everything that decided it out. Nothing is stored."""
    from chatbot.dialogue.options import SiteOptions
    from chatbot.errors import UnavailableError
    from chatbot.language.normalise import detect_language
    from chatbot.learning.loading import load_assistant
    from chatbot.learning.releases import live_release_id
    from chatbot.records.conversations import find_site
    from web.terminal import print_reply

    settings = load_settings()
    database = open_database(settings)
    with database.read() as session:
        release_id = release_id or live_release_id(session)
        try:
            options = SiteOptions.from_json(find_site(session, None).options)
        except FrontdeskError:
            options = SiteOptions()  # no server was ever started here
    if release_id is None:
        raise UnavailableError("No release is live yet", remedy="Make one with: frontdesk retrain")
    assistant = load_assistant(database, settings, release_id)
    reply, trace = assistant.reply(text, history=(), locale=lang or detect_language(text), options=options)
    if as_json:
        write_json(Path("-"), {"reply": reply.as_json(), "trace": trace.as_json()})
    else:
        print_reply(reply, trace)


# --- people and jobs --------------------------------------------------------------------------------------


@main.group()
def user() -> None:
    """People who may sign in."""


@user.command("add")
@click.argument("email")
@click.option("--name", default="", help="As colleagues and customers see it.")
@click.option(
    "--role", default="admin", show_default=True, type=click.Choice(["viewer", "agent", "editor", "admin"])
)
@click.password_option(help="Asked for when left out; never shown.")
def user_add(email: str, name: str, role: str, password: str) -> None:
    """Make an account for EMAIL."""
    from chatbot.records import audit, people

    with open_database(load_settings()).write() as session:
        person = people.create_person(session, email=email, name=name, password=password, role=role)
        audit.record(session, action="person.add", subject=person.email, detail={"role": role})
        added = person.email
    click.echo(f"{added} may sign in as {role}.")


@main.group()
def jobs() -> None:
    """Queued work."""


@jobs.command("list")
@click.option("--limit", default=20, show_default=True)
def jobs_list(limit: int) -> None:
    """The newest jobs."""
    from chatbot.records.jobs import list_jobs
    from web.terminal import out, table

    with open_database(load_settings()).read() as session:
        found = list_jobs(session, limit=limit)
    out().print(
        table(
            "",
            ("job", "kind", "state", "progress", "stage", "queued"),
            [
                (
                    job.id,
                    job.kind,
                    job.state,
                    f"{job.progress:.0%}",
                    job.stage,
                    f"{job.created_at:%Y-%m-%d %H:%M}",
                )
                for job in found
            ],
        )
    )


@jobs.command("show")
@click.argument("job_id", type=int, metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def jobs_show(job_id: int, as_json: bool) -> None:
    """One job with its report or its error."""
    from chatbot.records.jobs import get_job
    from web.terminal import print_values

    with open_database(load_settings()).read() as session:
        job = get_job(session, job_id)
    body = {column.key: getattr(job, column.key) for column in type(job).__table__.columns}
    if as_json:
        write_json(Path("-"), body)
    else:
        print_values(f"Job {job_id}", body)


# --- measures ---------------------------------------------------------------------------------------------


class BenchCommands(click.Group):
    """Each module of web/bench with a ``command`` is a sub-command; none is imported until it is called."""

    folder = Path(__file__).with_name("bench")

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.py") if self._has_command(path))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        loaded: click.Command = importlib.import_module(f"web.bench.{cmd_name}").command
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._first_line(self.folder / f"{name}.py")) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    @staticmethod
    def _tree(path: Path) -> ast.Module:
        return ast.parse(path.read_text("utf-8"))

    @classmethod
    def _first_line(cls, path: Path) -> str:
        first = (ast.get_docstring(cls._tree(path)) or "").partition("\n\n")[0].replace("\n", " ")
        return first.removeprefix(f"``bench {path.stem}``: ")

    @classmethod
    def _has_command(cls, path: Path) -> bool:
        for node in cls._tree(path).body:
            if isinstance(node, ast.FunctionDef) and node.name == "command":
                return True
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == "command" for target in node.targets
            ):
                return True
        return False


@main.group(cls=BenchCommands)
def bench() -> None:
    """Measure: accuracy, retrieval, speed, load. Needs no running server and no company data."""


if __name__ == "__main__":
    main()

"""``frontdesk demo``, ``serve``, ``worker`` and ``db``: the service and its database."""

from __future__ import annotations

import os

import click

from web.commands.environment import load_settings, log_to_stderr, open_database


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT, 5000).")
@click.option("--no-serve", is_flag=True, help="Build and train, then stop.")
def demo(host: str | None, port: int | None, no_serve: bool) -> None:
    """Build the demo company, train its bot and serve it."""
    from web import serve as serving
    from web.demo import offer_orders, prepare
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
    os.environ |= offer_orders(database, settings)
    click.echo("Ask it, for example: Where is my order KC-204817?")
    database.dispose()
    serving.serve(load_settings(host=host, PORT=port))


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: PORT, 5000).")
@click.option("--web-only", is_flag=True, help="The web server alone, without a worker beside it.")
def serve(host: str | None, port: int | None, web_only: bool) -> None:
    """Serve the chat, the widget and the admin area, with a worker."""
    from web import serve as serving

    settings = load_settings(host=host, PORT=port)
    log_to_stderr(settings.log_level, style=settings.log_format)
    if web_only:
        serving.serve_web(settings)
        return
    serving.check_port(settings)
    database = open_database(settings)
    for line in serving.first_steps(database, settings):
        click.echo(line)
    database.dispose()
    serving.serve(settings)


@click.command()
@click.option("--until-idle", is_flag=True, help="Stop when nothing is queued any more.")
def worker(until_idle: bool) -> None:
    """Do queued work: imports and retraining."""
    from web.worker import run_worker

    settings = load_settings()
    log_to_stderr(settings.log_level, style=settings.log_format)
    open_database(settings).dispose()
    run_worker(settings, until_idle=until_idle)


# --- the database ----------------------------------------------------------------------------------------


@click.group()
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


@db.command("move")
@click.argument("target", metavar="POSTGRESQL-URL")
def db_move(target: str) -> None:
    """Copy this installation's SQLite database into an empty PostgreSQL. Stop the service first.

    The data folder stays what it is. Afterwards set FRONTDESK_DATABASE_URL to the new address and start again.
    """
    from chatbot.records.database import Database
    from chatbot.records.moving import move
    from web.terminal import TerminalProgress

    source, there = open_database(load_settings()), Database(target)
    with TerminalProgress() as progress:
        moved = move(source, there, progress=progress)
    click.echo(
        f"Moved {sum(moved.values()):,} rows of {len(moved)} tables. Set FRONTDESK_DATABASE_URL and start."
    )

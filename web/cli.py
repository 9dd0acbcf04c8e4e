"""The ``frontdesk`` command: each sub-command is a thin wrapper around one library function.

Everything but click is imported inside the command that needs it, so that ``frontdesk --help`` stays quick.
Exit status: 0 done, 1 it could not be done, 2 the input was wrong, 130 interrupted, 143 told to stop. An error that we
know is one line on stderr, ``error: …``; a traceback means a defect of ours.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from chatbot.errors import FrontdeskError
from chatbot.extras import missing_extra
from chatbot.termination import ended_in_order
from web.commands import (
    articles,
    bench,
    bot,
    index,
    ingest,
    intents,
    labels,
    learning,
    operation,
    people,
    pictures,
    pretrain,
    service,
    tune,
)

INPUT_STATUS = (404, 409, 413, 422)


class CommandLine(click.Group):
    """The outermost group: our own errors become one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with ended_in_order():  # commands that run until they are told to stop set a handler of their own
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
            lacking = missing_extra(error)
            line = lacking.one_line() if lacking else database_error(error)
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


for command in (
    service.demo,
    service.serve,
    service.worker,
    service.db,
    ingest.ingest,
    articles.articles,
    index.index,
    articles.search,
    learning.discover,
    learning.review,
    pretrain.pretrain,
    bot.retrain,
    bot.snapshot,
    bot.evaluate,
    bot.releases,
    bot.chat,
    intents.intents,
    labels.labels,
    tune.tune,
    people.user,
    people.person,
    people.jobs,
    operation.backup,
    operation.restore,
    operation.doctor,
    pictures.pictures,
    bench.bench,
):
    main.add_command(command)


if __name__ == "__main__":
    main()

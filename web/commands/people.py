"""``frontdesk user`` and ``jobs``: who may sign in, and what is queued."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.environment import load_settings, open_database, write_json


@click.group()
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


@click.group()
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

"""``frontdesk user`` and ``jobs``: who may sign in, and what is queued."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.environment import FILES, load_settings, open_database, write_json


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


@user.command("reset-second-step")
@click.argument("email")
def user_reset_second_step(email: str) -> None:
    """Let EMAIL sign in with the password alone again: the phone and the recovery codes are lost."""
    from chatbot.errors import NotFoundError
    from chatbot.records import audit, people, second_step

    with open_database(load_settings()).write() as session:
        person = people.find_person(session, email)
        if person is None:
            raise NotFoundError("There is no such person", field="email", value=email)
        second_step.turn_off(person)
        audit.record(session, action="person.second_step_off", subject=person.email)
    click.echo(f"{email} signs in with the password alone again.")


@click.group()
def person() -> None:
    """Customers' rights: find, export and erase what is kept of somebody."""


@person.command("find")
@click.argument("text")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Of fifty each.")
def person_find(text: str, page: int) -> None:
    """People by e-mail address, name, your own id, a conversation's id, or words they wrote."""
    from chatbot.records.erasure import MOST_FOUND, find_people
    from web.terminal import out, table

    with open_database(load_settings()).read() as session:
        found = find_people(session, text, skip=MOST_FOUND * (page - 1), limit=MOST_FOUND + 1)
    rows = [
        (one.visitor_id, one.name or "", one.email or "", one.identity or "", one.conversations)
        for one in found[:MOST_FOUND]
    ]
    out().print(table("", ("visitor", "name", "e-mail", "your id", "conversations"), rows))
    if len(found) > MOST_FOUND:
        out().print(f"There are more: --page {page + 1}")


@person.command("export")
@click.argument("visitor", type=int)
@click.option("--json", "json_out", type=FILES, default="-", help="Where to (default: stdout).")
def person_export(visitor: int, json_out: Path) -> None:
    """Everything kept of VISITOR (a number that find shows), as JSON."""
    from chatbot.records import audit, erasure

    with open_database(load_settings()).write() as session:
        body = erasure.export_person(session, visitor)
        audit.record(session, action="person.export", subject=f"visitor {visitor}")
    write_json(json_out, body)


@person.command("erase")
@click.argument("visitor", type=int)
@click.confirmation_option(prompt="Erase this person and every conversation of theirs?")
def person_erase(visitor: int) -> None:
    """Erase VISITOR, every conversation of theirs and what was learned from it."""
    from web.privacy import erase

    settings = load_settings()
    gone = erase(open_database(settings), settings, visitor)
    click.echo(f"Erased: {gone.conversations} conversations, {gone.turns} turns, {len(gone.files)} files.")
    if gone.releases:
        click.echo(f"Trained on something of theirs: {', '.join(gone.releases)}. Run: frontdesk retrain")
    if gone.emptied:
        click.echo(
            f"No example is left of {', '.join(gone.emptied)}: "
            "give each a new one or retire it, or the gate stops the next release."
        )


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

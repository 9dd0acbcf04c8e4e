"""``frontdesk backup``, ``restore`` and ``doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json


@click.command()
@click.argument("target", type=FILES, metavar="FILE")
@click.option("--json", "json_out", type=FILES, help="Write what is in it to a file (- for stdout).")
def backup(target: Path, json_out: Path | None) -> None:
    """Write everything that matters into FILE (a tar archive); the service may go on running.

    Conversations, knowledge, people, all releases, visitors' files. The file holds what customers wrote: keep it safe.
    """
    from dataclasses import asdict

    from web.backup import backup as run
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with TerminalProgress() as progress:
        manifest = run(database, settings, target, progress=progress)
    database.dispose()
    write_json(json_out, asdict(manifest))
    if str(json_out) != "-":
        size = target.stat().st_size / 2**20
        click.echo(
            f"Backup in {target}: {len(manifest.files)} files, {size:,.0f} MiB, release {manifest.live}."
        )


@click.command()
@click.argument("source", type=FILES, metavar="FILE")
@click.option(
    "--replace", is_flag=True, help="Where there is data already: keep it aside and take the backup's."
)
def restore(source: Path, replace: bool) -> None:
    """Put a backup in place; the service must not be running. Every byte is checked before anything is moved."""
    from web.backup import restore as run
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("WARNING")
    with TerminalProgress() as progress:
        manifest = run(settings, source, replace=replace, progress=progress)
    click.echo(f"Restored the backup of {manifest.created_at}: release {manifest.live or 'none'}.")
    for name, value in manifest.settings.items():
        here = getattr(settings, name, value)
        if here != value:
            click.echo(f"Note: FRONTDESK_{name.upper()} was {value} there and is {here} here.")
    click.echo("Everybody signs in again: the session key is not part of a backup.")


@click.command()
@click.option("--deep", is_flag=True, help="Also load the live release, ask it, and check its index.")
@click.option("--json", "json_out", type=FILES, help="Write the findings to a file (- for stdout).")
@click.pass_context
def doctor(ctx: click.Context, deep: bool, json_out: Path | None) -> None:
    """Say in words what is wrong, and what to do about it. Exit status 1 where something must be done."""
    from dataclasses import asdict

    from rich.table import Table

    from web.doctor import examine
    from web.terminal import out

    settings = load_settings()
    log_to_stderr("ERROR")
    findings = list(examine(settings, deep=deep))
    write_json(json_out, [asdict(one) for one in findings])
    if str(json_out) != "-":
        marks = {
            "fine": "[green]fine[/]",
            "note": "[dim]note[/]",
            "warning": "[yellow]warning[/]",
            "error": "[red]error[/]",
        }
        from rich.markup import escape

        table = Table(box=None, show_header=False, pad_edge=False)
        for one in findings:
            remedy = f"\n[dim]→ {escape(one.remedy)}[/]" if one.remedy else ""
            table.add_row(marks[one.level], one.what, escape(one.message) + remedy)
        out().print(table)
    if any(one.level == "error" for one in findings):
        ctx.exit(1)

"""``frontdesk pictures``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from web.commands.environment import load_settings, log_to_stderr


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", multiple=True, help="Only the pages of this name; repeatable.")
def pictures(folder: Path, only: tuple[str, ...]) -> None:
    """Take pictures of every page into FOLDER, from a copy of this installation with a month of conversations."""
    from web.pictures import take_pictures
    from web.terminal import TerminalProgress, print_values

    log_to_stderr("WARNING")
    with (
        tempfile.TemporaryDirectory(prefix="frontdesk-pictures-", ignore_cleanup_errors=True) as workplace,
        TerminalProgress() as progress,
    ):
        made = take_pictures(load_settings(), folder, workplace=Path(workplace), only=only, progress=progress)
    kilobytes = sum(path.stat().st_size for path in made) / 1024
    print_values("pictures", {"pictures": len(made), "kilobytes": round(kilobytes)})

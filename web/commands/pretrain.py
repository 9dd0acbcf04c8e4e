"""``frontdesk pretrain``: a response generator that has read other companies' conversations first."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json

if TYPE_CHECKING:
    from chatbot.settings import Settings
    from web.terminal import TerminalProgress


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILES)
@click.option(
    "--out", type=FILES, required=True, metavar="BUNDLE", help="Folder to write; it must not exist."
)
@click.option(
    "--articles", multiple=True, type=FILES, help="What these agents answered from, if at hand; repeat it."
)
@click.option(
    "--format", "format_", default="auto", show_default=True, help="Shape of the conversations' files."
)
@click.option(
    "--minutes", type=click.FloatRange(min=0.1), default=30, show_default=True, help="For the training."
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where to train (default: the setting)."
)
@click.option("--seed", default=13, show_default=True, help="Same data, same seed, same generator.")
@click.option("--json", "json_out", type=FILES, help="Write the figures to a file (- for stdout).")
def pretrain(
    files: tuple[Path, ...],
    out: Path,
    articles: tuple[Path, ...],
    format_: str,
    minutes: float,
    device: str | None,
    seed: int,
    json_out: Path | None,
) -> None:
    """Train a response generator on all agents' turns of FILES, for a company with few conversations to begin with.

    FILES are conversations of any company in any format that `ingest transcripts` reads, in the languages of the
    company's own. They are redacted first, and nothing of them goes into the company's database. Then:
    frontdesk retrain --start BUNDLE.
    """
    from chatbot.errors import ConflictError
    from chatbot.extras import require_training
    from web.terminal import TerminalProgress

    require_training()
    if out.exists():
        raise ConflictError(
            "There is something of this name already", value=out, remedy="Name a folder that does not exist"
        )
    log_to_stderr("ERROR")  # what is wrong with a file is in the report
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".pretraining-", dir=out.parent) as apart,
        TerminalProgress() as progress,
    ):
        settings = load_settings(data=Path(apart) / "data", database_url="")
        report = _imported(settings, files, articles, format_, progress)
        figures = _trained(settings, Path(apart), device or settings.device, seed, 60 * minutes, progress)
        os.replace(Path(apart) / "bundle", out)
    body = {**report, **figures}
    write_json(json_out, body)
    if str(json_out) != "-":
        from web.terminal import print_values

        print_values(f"Generator in {out}", body)
        click.echo(f"Begin with it: frontdesk retrain --start {out}")


def _imported(
    settings: Settings,
    files: tuple[Path, ...],
    articles: tuple[Path, ...],
    format_: str,
    progress: TerminalProgress,
) -> dict[str, Any]:
    """Conversations and articles into a database of their own → conversations and articles kept, rows with errors.

    Raises InputError where a file cannot be read, or no conversation is kept.
    """
    from chatbot.errors import InputError
    from ingest.importing import import_articles, import_transcripts

    database = open_database(settings)
    reports = [import_transcripts(database, list(files), format=format_, progress=progress)]
    if articles:
        reports.append(import_articles(database, list(articles), progress=progress))
    for report in reports:
        for file in report.files:
            if file.state == "failed":
                raise InputError(file.note, field=file.name, remedy="Mend the file or leave it out")
    if not reports[0].kept:
        raise InputError(
            "No conversation is in these files",
            field="files",
            value=", ".join(file.name for file in files),
            remedy="Look at them with: frontdesk ingest transcripts --dry-run",
        )
    return {
        "conversations": reports[0].kept,
        "articles": reports[1].kept if articles else 0,
        "errors": sum(report.errors for report in reports),
    }


def _trained(
    settings: Settings, folder: Path, device: str, seed: int, seconds: float, progress: TerminalProgress
) -> dict[str, Any]:
    """The generator of what was imported, sealed in ``folder``/bundle → its figures. Raises TrainingError."""
    from chatbot.errors import TrainingError
    from chatbot.learning.bundles import read_manifest
    from chatbot.learning.retraining import export_snapshot
    from chatbot.learning.training_process import train_apart

    snapshot, bundle = folder / "snapshot", folder / "bundle"
    export_snapshot(open_database(settings), settings, snapshot, seed=seed)
    train_apart(
        snapshot,
        bundle,
        settings,
        device=device,
        seed=seed,
        budget=seconds,
        tell=progress,
        stages=("generator",),
    )
    manifest = read_manifest(bundle)
    if "generator" not in manifest.metrics:
        raise TrainingError(
            "There are too few agents' turns to learn to write from",
            remedy="Give more conversations (50 turns at least)",
        )
    shutil.rmtree(snapshot)
    return {"languages": ", ".join(manifest.languages), **manifest.metrics["generator"]}

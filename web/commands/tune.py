"""``frontdesk tune``: the classifier's recipe that suits the company's own messages."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json


@click.command()
@click.option("--trials", type=click.IntRange(min=2), default=20, show_default=True, help="Recipes to try.")
@click.option("--minutes", type=click.FloatRange(min=0.1), help="Stop when this time is over.")
@click.option("--seed", default=13, show_default=True, help="Same data, same seed, same search.")
@click.option("--train", "train_file", type=FILES, help="Intent rows to train on, instead of the database.")
@click.option("--valid", "valid_file", type=FILES, help="Intent rows to choose on; with --train.")
@click.option("--out", type=FILES, help="Where the recipe goes (default: the data folder, for retrain).")
@click.option("--json", "json_out", type=FILES, help="Write every trial to a file (- for stdout).")
def tune(
    trials: int,
    minutes: float | None,
    seed: int,
    train_file: Path | None,
    valid_file: Path | None,
    out: Path | None,
    json_out: Path | None,
) -> None:
    """Search for hyper-parameters of the intent classifier, and keep them for retrain if they are clearly better.

    Chosen on validation messages alone; the frozen test part decides at the gate, as always.
    """
    from chatbot.errors import InputError
    from chatbot.learning.recipe_search import RECIPE_FILE, save_recipe, search_recipe
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("WARNING")
    if (train_file is None) != (valid_file is None):
        raise InputError("One of two files is missing", field="--train, --valid", remedy="Give both or none")
    if train_file is not None and valid_file is not None:
        from web.bench.rows import labelled_rows

        parts = [
            ("train", labelled_rows(train_file)),
            ("valid", labelled_rows(valid_file)),
        ]
        rows = [{**row, "split": split} for split, found in parts for row in found]
    else:
        from chatbot.learning.retraining import snapshot_of

        rows = snapshot_of(open_database(settings), settings, seed=seed).examples
    with TerminalProgress() as progress:
        found = search_recipe(
            rows,
            languages=sorted({str(row["lang"]) for row in rows}),
            trials=trials,
            seconds=None if minutes is None else 60 * minutes,
            seed=seed,
            device=settings.device,
            progress=lambda share: progress("recipes", share),
        )
    write_json(json_out, found.as_json())
    target = out or settings.data / RECIPE_FILE
    if found.better:
        save_recipe(found.recipe, target)
    if str(json_out) != "-":
        word = f"written to {target}" if found.better else "the defaults stay"
        click.echo(
            f"Best of {len(found.trials)}: {found.gain:+.2f} points over the defaults, "
            f"{found.needed:.2f} needed: {word}."
        )

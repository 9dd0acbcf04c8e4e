"""``frontdesk intents``: what customers ask for, and intents made from a few examples without a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chatbot.errors import InputError
from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json


@click.group()
def intents() -> None:
    """What customers ask for."""


@intents.command("add")
@click.argument("name")
@click.option("--example", "examples", multiple=True, help="How a customer asks for it; at least five.")
@click.option(
    "--examples-from", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="One a line."
)
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="LANG=TEXT",
    help="What the bot says, approved by you; one for each language.",
)
@click.option(
    "--title", "titles", multiple=True, metavar="LANG=TEXT", help="As customers see it in a choice."
)
@click.option("--json", "json_out", type=FILES, help="Write what it would take from others (- for stdout).")
def intents_add(
    name: str,
    examples: tuple[str, ...],
    examples_from: Path | None,
    answers: tuple[str, ...],
    titles: tuple[str, ...],
    json_out: Path | None,
) -> None:
    """Add the provisional intent NAME: the bot answers it at once, and the next release learns it.

    It is held against the frozen test messages straight away, and what it would take from other intents is said.
    """
    from chatbot.learning.releases import live_release_id
    from chatbot.records.provisional import create_provisional

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    given = list(examples)
    if examples_from is not None:
        given += examples_from.read_text(encoding="utf-8").splitlines()
    with database.write() as session:
        create_provisional(
            session,
            name,
            examples=given,
            answers=_by_language(answers, "answer"),
            titles=_by_language(titles, "title"),
        )
    with database.read() as session:
        release_id = live_release_id(session)
    body: dict[str, Any] = {"intent": name, "status": "provisional", "release": release_id, "takes": {}}
    if release_id is not None:
        from chatbot.learning.loading import load_provisional

        provisional = load_provisional(database, settings, release_id)
        body["takes"] = {
            lang: dict(provisional.takes(lang=lang).get(name, {})) for lang in provisional.languages
        }
    write_json(json_out, body)
    if str(json_out) != "-":
        click.echo(f"{name} is provisional: it answers from the next message on.")
        for lang, taken in body["takes"].items():
            for other, n in sorted(taken.items(), key=lambda item: -item[1]):
                click.echo(f"takes {n} of the frozen {lang} messages from {other}")


def _by_language(given: tuple[str, ...], option: str) -> dict[str, str]:
    """``en=Text`` … → {lang: text}. Raises InputError."""
    found = {}
    for value in given:
        lang, mark, text = value.partition("=")
        if not mark or not 2 <= len(lang) <= 16:
            raise InputError(
                "This does not begin with a language", field=option, value=value, remedy=f"--{option} en=TEXT"
            )
        found[lang] = text
    return found

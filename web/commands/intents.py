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


@intents.command("explain")
@click.argument("text")
@click.option("--lang", help="Language of the message (default: as it reads).")
@click.option("--release", "release_id", metavar="ID", help="Ask this release (default: the live one).")
@click.option("--json", "json_out", type=FILES, help="Write it to a file (- for stdout).")
def intents_explain(text: str, lang: str | None, release_id: str | None, json_out: Path | None) -> None:
    """Say which words of TEXT decide, which training messages are nearest, and why not the second-best intent."""
    from chatbot.dialogue.explaining import explain_message
    from chatbot.errors import FrontdeskError, NotFoundError
    from chatbot.language.normalise import detect_language, has_letters
    from chatbot.learning.loading import load_release_classifier
    from chatbot.learning.releases import live_release_id
    from web.terminal import out, table

    if not has_letters(text):  # no classifier is asked about it
        raise FrontdeskError(
            "There is nothing to read in this message",
            field="text",
            value=text,
            remedy="Give a message with words",
        )
    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with database.read() as session:
        asked = release_id or live_release_id(session)
    classifier = load_release_classifier(settings, asked) if asked else None
    if classifier is None:
        raise NotFoundError(
            "No release with a classifier is live", value=asked or "none", remedy="frontdesk retrain"
        )
    why = explain_message(database, classifier, text, lang=lang or detect_language(text))
    write_json(json_out, why.as_json() | {"why_not": why.why_not})
    if str(json_out) == "-":
        return
    found = why.explanation.classification
    rows = [(guess.name, f"{guess.confidence:.2f}") for guess in found.ranked[:4]]
    out().print(table(f"In scope {found.in_scope:.2f} ({found.tier} tier)", ("intent", "confidence"), rows))
    words = [(word.text, f"{word.weight:+.2f}") for word in why.explanation.words]
    out().print(table("Words", ("word", "what goes without it"), words))
    near = [(m.intent, f"{m.similarity:.2f}", m.text) for m in (*why.nearest, *why.against)]
    out().print(table("Nearest training messages", ("intent", "similarity", "message"), near))
    if why.why_not:
        out().print(why.why_not)
    out().print(f"{why.milliseconds:.1f} ms")


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

"""``frontdesk intents``: what customers ask for, and intents made from a few examples without a training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chatbot.errors import FileError, InputError
from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json

if TYPE_CHECKING:
    from chatbot.dialogue.provisional_check import Check, Known
    from chatbot.records.database import Database
    from chatbot.settings import Settings

SHOWN = 10  # messages of a language that an intent takes


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
@click.option("--lang", default="", help="Language of the examples (default: as each reads).")
@click.option("--check", "only_check", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--insist", is_flag=True, help="Keep the doubtful examples too.")
@click.option("--json", "json_out", type=FILES, help="Write the check to a file (- for stdout).")
def intents_add(
    name: str,
    examples: tuple[str, ...],
    examples_from: Path | None,
    answers: tuple[str, ...],
    titles: tuple[str, ...],
    lang: str,
    only_check: bool,
    insist: bool,
    json_out: Path | None,
) -> None:
    """Add the provisional intent NAME: the bot answers it at once, and the next release learns it.

    Its examples are checked first: nonsense, repetitions and what the live release knows as something else are left out
    and named. It is held against the frozen test messages, and what it takes from other intents is said.
    """
    from chatbot.dialogue.provisional_check import add_provisional, check_examples

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    given = list(examples)
    if examples_from is not None:
        given += _lines(examples_from)
    asked: dict[str, Any] = {
        "examples": given,
        "answers": _by_language(answers, "answer"),
        "lang": lang,
        "insist": insist,
        "known": _known(database, settings),
    }
    if only_check:
        check = check_examples(database, name, **asked)
    else:
        check = add_provisional(database, name, titles=_by_language(titles, "title"), **asked)
    body = check.as_json() | {"status": None if only_check else "provisional"}
    write_json(json_out, body)
    if str(json_out) != "-":
        if not only_check:
            click.echo(f"{name} is provisional: it answers from the next message on.")
        _tell(check)


@intents.command("list")
@click.option("--json", "json_out", type=FILES, help="Write it to a file (- for stdout).")
def intents_list(json_out: Path | None) -> None:
    """List the provisional intents: examples, where they answer, what they take."""
    from chatbot.records.provisional import list_provisional
    from web.terminal import out, table

    log_to_stderr("WARNING")
    with open_database(load_settings()).read() as session:
        found = list_provisional(session)
    write_json(json_out, [asdict(line) for line in found])
    if str(json_out) == "-":
        return
    rows = [
        (
            line.name,
            ", ".join(f"{number} {lang}" for lang, number in line.examples.items()),
            ", ".join(line.answers_in) or "nothing",
            "?" if line.takes is None else ", ".join(f"{n} from {other}" for other, n in line.takes.items()),
        )
        for line in found
    ]
    out().print(table("Provisional intents", ("intent", "examples", "answers in", "takes"), rows))


@intents.command("withdraw")
@click.argument("name")
def intents_withdraw(name: str) -> None:
    """Retire the provisional intent NAME: it answers nothing any more. `intents add` brings it back."""
    from chatbot.records.provisional import withdraw

    log_to_stderr("WARNING")
    with open_database(load_settings()).write() as session:
        withdraw(session, name)
    click.echo(f"{name} is withdrawn.")


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
    from chatbot.learning.loading import load_understanding
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
    provisional, classifier = load_understanding(database, settings, asked) if asked else (None, None)
    if classifier is None:
        raise NotFoundError(
            "No release with a classifier is live", value=asked or "none", remedy="frontdesk retrain"
        )
    spoken = lang or detect_language(text)
    why = explain_message(database, classifier, text, lang=spoken, provisional=provisional)
    write_json(json_out, why.as_json() | {"why_not": why.why_not})
    if str(json_out) == "-":
        return
    found = why.explanation.classification
    rows = [(guess.name, f"{guess.confidence:.2f}") for guess in found.ranked[:4]]
    out().print(table(f"In scope {found.in_scope:.2f} ({found.tier} tier)", ("intent", "confidence"), rows))
    words = [(word.text, f"{word.weight:+.2f}") for word in why.explanation.words]
    out().print(table("Words", ("word", "what goes without it"), words))
    near = [(m.intent, f"{m.similarity:.2f}", m.text) for m in (*why.nearest, *why.against)]
    if why.provisional is not None:
        title = f"Provisional: {why.provisional.intent} {why.provisional.confidence:.2f}"
        examples = [(f"{m.similarity:.2f}", m.text) for m in why.provisional.nearest]
        out().print(table(title, ("similarity", "example"), examples))
        deciding = [(word.text, f"{word.weight:+.2f}") for word in why.provisional.words]
        out().print(table(f"Words for {why.provisional.intent}", ("word", "what goes without it"), deciding))
    out().print(table("Nearest training messages", ("intent", "similarity", "message"), near))
    if why.why_not:
        out().print(why.why_not)
    out().print(f"{why.milliseconds:.1f} ms")


def _known(database: Database, settings: Settings) -> Known:
    """What the live release knows; nothing where none is live."""
    from chatbot.dialogue.provisional_check import Known
    from chatbot.learning.releases import live_release_id

    with database.read() as session:
        release_id = live_release_id(session)
    if release_id is None:
        return Known()
    from chatbot.learning.loading import load_understanding

    provisional, classifier = load_understanding(database, settings, release_id)
    return Known(release_id, provisional, classifier)


def _lines(path: Path) -> list[str]:
    """Raises FileError."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FileError(
            f"{path.name} is not UTF-8",
            field="--examples-from",
            value=path,
            remedy="Convert the file to UTF-8",
        ) from error


def _tell(check: Check) -> None:
    for doubt in check.doubts:
        left = "left out" if check.leaves_out(doubt) else "kept"
        click.echo(f"{left}: {doubt.message} (got {doubt.value!r}). {doubt.remedy}.")
    for found in check.languages:
        if found.frozen is None:
            click.echo(f"{found.lang}: {found.counting} examples; no release is live to hold them against.")
            continue
        click.echo(
            f"{found.lang}: {found.counting} examples"
            + (f", of which the others recognise {found.recognised}" if found.recognised is not None else "")
            + f"; takes {len(found.taken)} of {found.frozen} frozen messages"
        )
        for one in found.taken[:SHOWN]:
            click.echo(f"  from {one.intent}: {one.text} ({one.confidence:.2f})")
        if len(found.taken) > SHOWN:
            click.echo(f"  … and {len(found.taken) - SHOWN} more")
    if check.problem is not None:
        click.echo(f"It cannot be made live so: {check.problem.one_line()}")


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

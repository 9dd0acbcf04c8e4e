"""``frontdesk retrain``, ``snapshot``, ``evaluate``, ``releases`` and ``chat``: making a bot, asking it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from chatbot.errors import FrontdeskError, InputError
from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json


@click.command()
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Where to train (default: the setting)."
)
@click.option("--seed", default=13, show_default=True, help="Same data, same seed, same bot.")
@click.option(
    "--warm",
    is_flag=True,
    help="Learn on from the live release: the generator, with some new intents the classifier.",
)
@click.option(
    "--start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="BUNDLE",
    help="Learn on from this release's folder instead of the live one.",
)
@click.option("--force", is_flag=True, help="Train also where nothing has changed since the live release.")
@click.option("--json", "json_out", type=FILES, help="Write the outcome to a file (- for stdout).")
def retrain(
    device: str | None, seed: int, warm: bool, start: Path | None, force: bool, json_out: Path | None
) -> None:
    """Train a new release from what is in the database and, if it is no worse, make it live."""
    from chatbot.learning.retraining import retrain as run
    from web.jobs import as_result
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with TerminalProgress() as progress:
        outcome = run(
            database,
            settings,
            device=device or settings.device,
            seed=seed,
            progress=progress,
            warm=warm,
            start=start,
            force=force,
        )
    _print_outcome(as_result(outcome), json_out)


def _print_outcome(body: dict[str, Any], json_out: Path | None) -> None:
    from web.terminal import print_values

    write_json(json_out, body)
    if str(json_out) != "-":
        shown = {key: body[key] for key in ("release_id", "status", "reason", "seconds", "skipped", "cut")}
        print_values("Release", shown)


@click.group()
def snapshot() -> None:
    """Frozen training data for a machine that only trains."""


@snapshot.command("export")
@click.argument("out", type=FILES, metavar="FOLDER")
@click.option("--seed", default=13, show_default=True, help="Same data, same seed, same snapshot.")
@click.option("--json", "json_out", type=FILES, help="Write what it holds to a file (- for stdout).")
def snapshot_export(out: Path, seed: int, json_out: Path | None) -> None:
    """Freeze what is in the database into FOLDER, redacted, for training elsewhere.

    There: python -m chatbot.learning.training FOLDER --out BUNDLE. Back here: frontdesk releases import BUNDLE.
    """
    from chatbot.learning.retraining import export_snapshot
    from web.terminal import print_values

    settings = load_settings()
    log_to_stderr("WARNING")
    manifest = export_snapshot(open_database(settings), settings, out, seed=seed)
    body = {"fingerprint": manifest.fingerprint, "languages": manifest.languages, **manifest.counts}
    write_json(json_out, body)
    if str(json_out) != "-":
        print_values(f"Snapshot in {out}", body)


@click.command()
@click.option("--release", "release_id", metavar="ID", help="The release to measure (default: the live one).")
@click.option(
    "--questions",
    type=FILES,
    help="Also put a file of test questions to the bot; demo: those of the demo company, tuning: those it is tuned on.",
)
@click.option(
    "--conversations",
    type=FILES,
    help="Also play a file of test conversations; demo: those of the demo company, tuning: those it is tuned on.",
)
@click.option(
    "--adversarial",
    "attacks",
    type=FILES,
    help="Also put a file of adversarial questions to the bot, generated replies allowed; demo: the demo company's.",
)
@click.option("--json", "json_out", type=FILES, help="Write the figures to a file (- for stdout).")
def evaluate(
    release_id: str | None,
    questions: Path | None,
    conversations: Path | None,
    attacks: Path | None,
    json_out: Path | None,
) -> None:
    """Measure a release on its frozen set."""
    from chatbot.dialogue.options import SiteOptions
    from chatbot.learning.release_figures import measure_release
    from chatbot.records.conversations import DEFAULT_SITE, find_site
    from web.terminal import TerminalProgress, print_values

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    from ingest.demo import company

    if str(questions) in ("demo", "tuning"):
        questions = company.questions() if str(questions) == "demo" else company.tuning_questions()
    if str(conversations) in ("demo", "tuning"):
        demo = str(conversations) == "demo"
        conversations = company.conversations() if demo else company.tuning_conversations()
    if attacks is not None and str(attacks) == "demo":
        attacks = company.attacks()
    for path in (questions, conversations, attacks):  # before the minute that measuring takes
        if path is not None and not path.is_file():
            raise InputError(
                "There is no such file", value=str(path), remedy="Check the name, or give demo or tuning"
            )
    options = SiteOptions()
    with database.read() as session, contextlib.suppress(FrontdeskError):  # no site yet: the defaults
        options = SiteOptions.from_json(find_site(session, DEFAULT_SITE).options)
    with TerminalProgress() as progress:
        measured = measure_release(
            database,
            settings,
            release_id=release_id,
            questions=questions,
            conversations=conversations,
            attacks=attacks,
            options=options.answering(),
            progress=progress,
        )
    body = measured.as_json()
    write_json(json_out, body)
    if str(json_out) != "-":
        for part in ("classifier", "search"):  # the tables of single intents are in the JSON
            shown = {
                k: v for k, v in (body[part] or {}).items() if k not in ("intents", "labels", "confusion")
            }
            print_values(f"{part} of {body['release']}, {body['split']} examples", shown)
        for language, row in body.get("questions", {}).items():
            print_values(f"test questions, {language}, mode {options.mode}, sureness {options.sureness}", row)
        for language, row in body.get("conversations", {}).items():
            print_values(f"test conversations, {language}, mode {options.mode}", row)
        if "adversarial" in body:
            _print_attacks(body)


def _print_attacks(body: dict[str, Any]) -> None:
    from web.terminal import out, table

    out().print(
        table(
            "adversarial questions, mode generated_allowed",
            ("attack", "asked", "held", "answered", "logged", "replies"),
            [
                (
                    name,
                    str(row["attacks"]),
                    str(row["held"]),
                    str(row["answered"]),
                    str(row["logged"]),
                    ", ".join(f"{kind} {count}" for kind, count in row["kinds"].items()),
                )
                for name, row in body["adversarial"].items()
            ],
        )
    )
    for row in body["attacked"]:
        for failure in row["failures"]:
            click.echo(f"{row['id']} {row['text']!r}, {row['kind']}: {failure}")


@click.group()
def releases() -> None:
    """Trained releases: list, measure, try, promote, roll back."""


@releases.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def releases_list(as_json: bool) -> None:
    """All releases, newest first; the live one is marked."""
    from chatbot.learning.releases import list_releases
    from web.jobs import as_result
    from web.terminal import out, table

    rows = list_releases(open_database(load_settings()))
    if as_json:
        write_json(Path("-"), [as_result(row) for row in rows])
        return
    if not rows:
        click.echo("No releases yet. Make one with: frontdesk retrain")
        return
    out().print(
        table(
            "",
            ("", "release", "status", "made", "reason"),
            [
                ("●" if row.live else "", row.id, row.status, f"{row.created_at:%Y-%m-%d %H:%M}", row.reason)
                for row in rows
            ],
        )
    )
    for row in rows:
        if row.erased_people:
            people = "1 person" if row.erased_people == 1 else f"{row.erased_people} people"
            click.echo(f"{row.id} was trained on words of {people} erased since.")


@releases.command("show")
@click.argument("release_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def releases_show(release_id: str, as_json: bool) -> None:
    """One release with its figures and what the gate said."""
    from chatbot.learning.releases import get_release
    from web.jobs import as_result
    from web.terminal import print_values

    body = as_result(get_release(open_database(load_settings()), release_id))
    if as_json:
        write_json(Path("-"), body)
    else:
        print_values(release_id, body)


@releases.command("import")
@click.argument("bundle", type=FILES, metavar="BUNDLE")
@click.option(
    "--snapshot", "snapshot_folder", type=FILES, help="What it was trained from (default: our copy)."
)
@click.option("--json", "json_out", type=FILES, help="Write the outcome to a file (- for stdout).")
def releases_import(bundle: Path, snapshot_folder: Path | None, json_out: Path | None) -> None:
    """Take in a bundle trained elsewhere: verified, measured, and live if it is no worse."""
    from chatbot.learning.retraining import import_bundle
    from web.jobs import as_result
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with TerminalProgress() as progress:
        outcome = import_bundle(database, settings, bundle, snapshot_folder, progress=progress)
    _print_outcome(as_result(outcome), json_out)


@releases.command("card")
@click.argument("release_id", metavar="ID")
@click.option("--out", type=FILES, help="Write the page to this file (default: stdout).")
def releases_card(release_id: str, out: Path | None) -> None:
    """The model card of a release as an HTML page."""
    from chatbot.learning.model_card import page
    from chatbot.learning.release_cards import card_of

    settings = load_settings()
    made = page(card_of(open_database(settings), settings, release_id))
    if out is None:
        click.echo(made)
    else:
        out.write_text(made, encoding="utf-8")


@releases.command("replay")
@click.argument("release_id", metavar="ID")
@click.option("--last", default=100, show_default=True, help="So many conversations, the newest first.")
@click.option("--json", "json_out", type=FILES, help="Write every change with both traces (- for stdout).")
def releases_replay(release_id: str, last: int, json_out: Path | None) -> None:
    """Put the last conversations to a release and to the live one: which answers would change?"""
    from chatbot.learning.replay import replay
    from web.terminal import TerminalProgress, out, print_values, table

    settings = load_settings()
    with TerminalProgress() as progress:
        found = replay(open_database(settings), settings, release_id, last=last, progress=progress)
    write_json(json_out, found.as_json())
    if str(json_out) == "-":
        return
    print_values("Replay", found.summary())
    shown = [
        (
            change.asked[:60],
            f"{change.before['kind']}: {change.before['text'][:60]}",
            change.after["text"][:60],
        )
        for change in found.changes[:20]
    ]
    out().print(table("", ("asked", "before", "after"), shown))


@releases.command("try")
@click.argument("release_id", metavar="ID")
@click.option("--share", default=0.1, show_default=True, help="Of the conversations that begin from now on.")
def releases_try(release_id: str, share: float) -> None:
    """Let a release answer a share of the new conversations."""
    from chatbot.learning.canaries import start_canary

    settings = load_settings()
    start_canary(open_database(settings), settings, release_id, share=share)
    click.echo(f"{release_id} answers {share:.0%} of the conversations that begin from now on.")


@releases.command("trial")
@click.argument("release_id", metavar="ID")
@click.option("--end", is_flag=True, help="End it first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def releases_trial(release_id: str, end: bool, as_json: bool) -> None:
    """What came of a release's trial, side by side with the live one."""
    from chatbot.errors import NotFoundError
    from chatbot.learning.canaries import ENOUGH, stop_canary, trial_of
    from web.terminal import print_values

    database = open_database(load_settings())
    if end:
        stop_canary(database)
    found = trial_of(database, release_id)
    if found is None:
        raise NotFoundError(
            "This release was never on trial", value=release_id, remedy=f"frontdesk releases try {release_id}"
        )
    if as_json:
        write_json(Path("-"), found.as_json())
        return
    differences = {
        one.name: f"{100 * (one.candidate - one.live):+.1f} points, "
        f"95 % between {100 * one.low:+.1f} and {100 * one.high:+.1f}"
        for one in found.differences
    }
    print_values(f"Trial of {release_id}", found.as_json() | {"differences": differences})
    if not found.enough:
        click.echo(f"Fewer than {ENOUGH} conversations on a side: too early to tell.")


@releases.command("promote")
@click.argument("release_id", metavar="ID")
@click.option("--reason", default="promoted from the command line", help="Why; kept with the promotion.")
def releases_promote(release_id: str, reason: str) -> None:
    """Make a release live."""
    from chatbot.learning.releases import promote

    settings = load_settings()
    promote(open_database(settings), settings, release_id, reason=reason)
    click.echo(f"{release_id} is live.")


@releases.command("rollback")
@click.option("--reason", default="rolled back from the command line", help="Why; kept with the promotion.")
def releases_rollback(reason: str) -> None:
    """Go back to the release that was live before."""
    from chatbot.learning.releases import rollback

    settings = load_settings()
    click.echo(f"{rollback(open_database(settings), settings, reason=reason)} is live.")


@click.command()
@click.argument("text")
@click.option("--lang", help="Language of the visitor's page: en, zh …")
@click.option("--json", "as_json", is_flag=True, help="The reply and its whole trace as JSON.")
@click.option("--release", "release_id", metavar="ID", help="Ask this release (default: the live one).")
def chat(text: str, lang: str | None, as_json: bool, release_id: str | None) -> None:
    """One message in, the reply with everything that decided it out. Nothing is stored."""
    from chatbot.dialogue.options import SiteOptions
    from chatbot.errors import UnavailableError
    from chatbot.language.normalise import detect_language
    from chatbot.learning.loading import load_assistant
    from chatbot.learning.releases import live_release_id
    from chatbot.records.conversations import DEFAULT_SITE, find_site
    from web.terminal import print_reply

    settings = load_settings()
    database = open_database(settings)
    with database.read() as session:
        release_id = release_id or live_release_id(session)
        try:
            options = SiteOptions.from_json(find_site(session, DEFAULT_SITE).options)
        except FrontdeskError:
            options = SiteOptions()  # no server was ever started here
    if release_id is None:
        raise UnavailableError("No release is live yet", remedy="Make one with: frontdesk retrain")
    assistant = load_assistant(database, settings, release_id)
    reply, trace = assistant.reply(text, history=(), locale=lang or detect_language(text), options=options)
    if as_json:
        write_json(Path("-"), {"reply": reply.as_json(), "trace": trace.as_json()})
    else:
        print_reply(reply, trace)

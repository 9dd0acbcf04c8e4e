"""``frontdesk discover`` and ``review``: what the bot could learn next, decided without a browser.

The same functions decide as behind the pages (``chatbot/records/proposals.py``, ``web/deciding.py``); every decision
remembers who (``--by``, else the command line) and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.commands.environment import load_settings, log_to_stderr, open_database, write_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from chatbot.learning.review import QuestionGroup

Command = Callable[..., Any]

_BEGINNING = 60  # characters of a draft or a question in a table

by_person = click.option(
    "--by", metavar="E-MAIL", help="Who decides: an account here (default: nobody named)."
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


def _person_id(session: Session, email: str | None) -> int | None:
    """Raises NotFoundError where nobody has this address."""
    from chatbot.errors import NotFoundError
    from chatbot.records.people import find_person

    if email is None:
        return None
    person = find_person(session, email)
    if person is None:
        raise NotFoundError(
            "Nobody here has this e-mail address",
            field="by",
            value=email,
            remedy=f"frontdesk user add {email}",
        )
    return person.id


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _BEGINNING else line[: _BEGINNING - 1] + "…"


# --- proposed intents ------------------------------------------------------------------------------------


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="What was found and all open proposals, as JSON.")
@click.pass_context
def discover(context: click.Context, as_json: bool) -> None:
    """Find what customers ask for that is no intent yet, and list it; decide with the commands below.

    What was proposed before is not proposed again: a second run finds what has come since.
    """
    if context.invoked_subcommand is not None:
        return
    from chatbot.errors import ConflictError
    from chatbot.learning.proposing import encoders_of, propose
    from chatbot.records.jobs import open_job
    from web.terminal import TerminalProgress, print_values

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    with database.read() as session:
        if (running := open_job(session, "discover")) is not None:
            raise ConflictError(
                "The worker is looking for intents already",
                value=f"job {running.id}",
                remedy=f"frontdesk jobs show {running.id}",
            )
    with TerminalProgress() as progress:
        progress("encoder", 0.0)
        report = propose(database, encoders_of(database, settings), progress=progress).as_json()
    if not as_json:
        print_values("Found", report)
    _print_proposals(as_json, {"found": report})


@discover.command("list")
@as_json_option
def discover_list(as_json: bool) -> None:
    """The open proposals, the largest first, without looking for new ones."""
    _print_proposals(as_json, {})


def _print_proposals(as_json: bool, told: dict[str, Any]) -> None:
    from chatbot.records.proposals import count_open, list_proposals
    from web.terminal import out, table

    with open_database(load_settings()).read() as session:
        found = list_proposals(session, limit=max(1, count_open(session)))
    if as_json:
        write_json(Path("-"), told | {"proposals": [asdict(one) for one in found]})
        return
    if not found:
        click.echo(
            "Nothing is proposed. Take in conversations (frontdesk ingest transcripts), then: frontdesk discover"
        )
        return
    rows = [
        (
            one.id,
            one.name,
            " ".join(one.languages),
            one.count,
            ", ".join(one.terms),
            one.article_slug,
            _beginning(next(iter(one.drafts.values()), "")),
        )
        for one in found
    ]
    columns = ("id", "name", "language", "count", "key terms", "article", "draft")
    out().print(table("Proposed intents", columns, rows))
    click.echo("Decide with: frontdesk discover accept ID, reject ID, merge ID ID, split ID …")


@discover.command("show")
@click.argument("proposal_id", type=int, metavar="ID")
@click.option("--examples", default=20, show_default=True, type=click.IntRange(1), help="How many messages.")
@as_json_option
def discover_show(proposal_id: int, examples: int, as_json: bool) -> None:
    """One proposal with its messages, the most typical first."""
    from chatbot.records.proposals import read_proposal
    from web.terminal import out, print_values, table

    with open_database(load_settings()).read() as session:
        found = read_proposal(session, proposal_id, samples=examples)
    body = asdict(found)
    if as_json:
        write_json(Path("-"), body)
        return
    print_values(
        f"Proposal {proposal_id}", {name: body[name] for name in body if name not in ("id", "examples")}
    )
    rows = [(one.example_id, one.lang, one.text) for one in found.examples]
    out().print(table("Messages", ("id", "language", "message"), rows))


@discover.command("accept")
@click.argument("proposal_id", type=int, metavar="ID")
@click.option(
    "--name", help="The intent's name (default: the proposal's); an existing one gets the messages."
)
@by_person
def discover_accept(proposal_id: int, name: str | None, by: str | None) -> None:
    """Make proposal ID an intent: its messages are labelled, its draft answers wait for approval."""
    from chatbot.records import proposals

    with open_database(load_settings()).write() as session:
        chosen = proposals.get_proposal(session, proposal_id).name if name is None else name
        intent = proposals.accept(session, proposal_id, name=chosen, person_id=_person_id(session, by))
        accepted = intent.name
    click.echo(
        f"{accepted} is an intent. Its draft answers wait for approval; the next frontdesk retrain learns it."
    )


@discover.command("reject")
@click.argument("proposal_id", type=int, metavar="ID")
@by_person
def discover_reject(proposal_id: int, by: str | None) -> None:
    """Make no intent of proposal ID: its messages are not proposed again."""
    from chatbot.records import proposals

    with open_database(load_settings()).write() as session:
        name = proposals.reject(session, proposal_id, person_id=_person_id(session, by)).name
    click.echo(f"{name} is rejected. Back: frontdesk discover reopen {proposal_id}")


@discover.command("rename")
@click.argument("proposal_id", type=int, metavar="ID")
@click.argument("name")
@by_person
def discover_rename(proposal_id: int, name: str, by: str | None) -> None:
    """Call proposal ID by another NAME."""
    from chatbot.records import proposals

    with open_database(load_settings()).write() as session:
        name = proposals.rename(session, proposal_id, name, person_id=_person_id(session, by)).name
    click.echo(f"Proposal {proposal_id} is called {name}.")


@discover.command("merge")
@click.argument("proposal_ids", type=int, nargs=-1, required=True, metavar="ID ID…")
@by_person
def discover_merge(proposal_ids: tuple[int, ...], by: str | None) -> None:
    """Make one proposal of several; the largest keeps its number and its name."""
    from chatbot.records import proposals

    with open_database(load_settings()).write() as session:
        kept = proposals.merge(session, proposal_ids, person_id=_person_id(session, by))
        kept_id, name = kept.id, kept.name
    gone = next(one for one in proposal_ids if one != kept_id)
    click.echo(f"They are proposal {kept_id}, {name}. Back: frontdesk discover reopen {gone}")


@discover.command("split")
@click.argument("proposal_id", type=int, metavar="ID")
@click.option(
    "--example", "examples", type=int, multiple=True, metavar="ID", help="A message to move; repeat it."
)
@by_person
def discover_split(proposal_id: int, examples: tuple[int, ...], by: str | None) -> None:
    """Cut proposal ID in two: by what its messages say, or the messages named by --example apart."""
    from chatbot.learning.proposing import encoders_of, split_proposal
    from chatbot.records.proposals import split_off

    settings = load_settings()
    log_to_stderr("WARNING")
    database = open_database(settings)
    if examples:
        with database.write() as session:
            made = split_off(session, proposal_id, examples, person_id=_person_id(session, by)).id
    else:
        with database.read() as session:
            person = _person_id(session, by)
        made = split_proposal(database, proposal_id, encoders_of(database, settings), person_id=person)[0]
    click.echo(f"The other part is proposal {made}: frontdesk discover show {made}")


@discover.command("reopen")
@click.argument("proposal_id", type=int, metavar="ID")
@by_person
def discover_reopen(proposal_id: int, by: str | None) -> None:
    """Take back what was decided about proposal ID: a rejection, an acceptance, a merge."""
    from chatbot.records.proposal_undo import take_back

    with open_database(load_settings()).write() as session:
        name = take_back(session, proposal_id, person_id=_person_id(session, by)).name
    click.echo(f"{name} is proposed again.")


# --- the review queue ------------------------------------------------------------------------------------


@click.group(invoke_without_command=True)
@click.option("--limit", default=40, show_default=True, type=click.IntRange(1), help="Groups to show.")
@as_json_option
@click.pass_context
def review(context: click.Context, limit: int, as_json: bool) -> None:
    """What the bot did not know, doubted, or was voted down for: like questions together, the best pay-off first.

    The coverage is the share of all questions that an answer would add. Decide about a group by its id.
    """
    if context.invoked_subcommand is not None:
        return
    from web.terminal import out, table

    with open_database(load_settings()).read() as session:
        asked, groups = _queue(session)
    if as_json:
        body = {"questions": asked, "total": len(groups), "groups": [_as_json(one) for one in groups[:limit]]}
        write_json(Path("-"), body)
        return
    if not groups:
        click.echo(f"Nothing waits for review. Questions of the last 90 days: {asked}.")
        return
    rows = [
        (
            _id(one),
            _beginning(one.text),
            one.lang,
            one.count,
            one.complaints or "",
            f"{one.pay_off:.1f}",
            f"{one.coverage:.1%}",
            one.intent,
            _beginning(one.suggestion or ""),
        )
        for one in groups[:limit]
    ]
    columns = (
        "id",
        "question",
        "language",
        "asked",
        "complaints",
        "pay-off",
        "coverage",
        "first guess",
        "agents said",
    )
    out().print(table(f"To review, of {asked} questions", columns, rows))
    if len(groups) > limit:
        click.echo(f"… and {len(groups) - limit} more: --limit {len(groups)}")
    click.echo("Decide with: frontdesk review label ID INTENT, answer ID INTENT, ignore ID …")


def _queue(session: Session) -> tuple[int, list[QuestionGroup]]:
    from chatbot.learning.review import review_queue
    from chatbot.records.review import asked_questions

    asked = asked_questions(session)
    return len(asked), review_queue(asked)


def _id(group: QuestionGroup) -> int:
    """A group's number is its first question's; any of its questions' finds it."""
    return group.turn_ids[0]


def _as_json(group: QuestionGroup) -> dict[str, Any]:
    return {"id": _id(group)} | asdict(group)


def _group_of(session: Session, number: int) -> QuestionGroup:
    """Raises NotFoundError where no waiting question has this number."""
    from chatbot.errors import NotFoundError

    for group in _queue(session)[1]:
        if number in group.turn_ids:
            return group
    raise NotFoundError(
        "No question that waits for review has this number",
        field="id",
        value=number,
        remedy="frontdesk review lists them",
    )


def _decision(command: Command) -> Command:
    """The argument and the options that all decisions share."""
    why = click.option("--reason", default="", metavar="WHY", help="Why; kept with every example.")
    return click.argument("group_id", type=int, metavar="ID")(why(by_person(command)))


def _decide(
    group_id: int, action: str, by: str | None, reason: str, *, intent: str = "", **written: str
) -> None:
    from web.deciding import decide_questions

    with open_database(load_settings()).write() as session:
        group = _group_of(session, group_id)
        if action in ("answer", "article"):
            written["text"] = written.get("text") or group.suggestion or ""
        if action == "article":
            written["title"] = written.get("title") or group.text
        decided = decide_questions(
            session,
            group.turn_ids,
            action=action,
            person_id=_person_id(session, by),
            reason=f"review queue: {reason or action}",
            intent=intent,
            **written,
        )
    _say(decided.turns, f"Article {decided.article} is a draft, not quoted yet. " if decided.article else "")


def _say(turns: Sequence[int], more: str) -> None:
    number = "1 question" if len(turns) == 1 else f"{len(turns)} questions"
    click.echo(f"{more}Decided about {number}. Back: frontdesk review undo {' '.join(map(str, turns))}")


@review.command("label")
@_decision
@click.argument("intent")
def review_label(group_id: int, intent: str, by: str | None, reason: str) -> None:
    """The questions of group ID ask for INTENT; a new name makes a new intent."""
    _decide(group_id, "label", by, reason, intent=intent)


@review.command("answer")
@_decision
@click.argument("intent")
@click.option("--text", default="", help="What the bot should say (default: what agents answered).")
def review_answer(group_id: int, intent: str, text: str, by: str | None, reason: str) -> None:
    """As label, and keep an answer as the draft of INTENT, for approval."""
    _decide(group_id, "answer", by, reason, intent=intent, text=text)


@review.command("article")
@_decision
@click.option("--title", default="", help="Default: the question.")
@click.option("--text", default="", help="What customers should read (default: what agents answered).")
def review_article(group_id: int, title: str, text: str, by: str | None, reason: str) -> None:
    """Start an article for group ID; it is quoted when somebody switches it on."""
    _decide(group_id, "article", by, reason, title=title, text=text)


@review.command("ignore")
@_decision
def review_ignore(group_id: int, by: str | None, reason: str) -> None:
    """Group ID teaches nothing."""
    _decide(group_id, "ignore", by, reason)


@review.command("oos")
@_decision
def review_oos(group_id: int, by: str | None, reason: str) -> None:
    """Group ID asks for nothing that the bot should know: out of scope."""
    _decide(group_id, "oos", by, reason)


@review.command("undo")
@click.argument("turns", type=int, nargs=-1, required=True, metavar="ID…")
@by_person
def review_undo(turns: tuple[int, ...], by: str | None) -> None:
    """Take decisions back: these questions wait for review again."""
    from web.deciding import reopen_questions

    with open_database(load_settings()).write() as session:
        reopen_questions(session, turns, person_id=_person_id(session, by))
    click.echo("They wait for review again.")

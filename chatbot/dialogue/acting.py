"""An action in a conversation: asks for what is missing, in turn, makes the request, and says what came of it.

The order: the details as the admin listed them, then the proof that the order is the customer's own, then what must be
confirmed. A detail given before is not asked for again. A wrong proof and an order that does not exist are answered
with the same words, so that nobody learns which orders there are. Three failures in a row lead to a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chatbot.dialogue.action_templates import choose, fill
from chatbot.dialogue.actions import Action, Finder, Outcome, Said, Slot, Talk, nothing
from chatbot.dialogue.cards import Card, filled
from chatbot.dialogue.correcting import correction, doubts
from chatbot.dialogue.helping import Need, needs_help
from chatbot.dialogue.new_address import asks_address, named_address
from chatbot.dialogue.own_words import is_question, yes_or_no
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.slot_filling import Value, read_proofs, read_slots
from chatbot.dialogue.summary import clip
from chatbot.dialogue.trace import ActionTrace, ReplyKind, Wish
from chatbot.dialogue.wishes import said_to, words_of
from chatbot.errors import FrontdeskError
from chatbot.language.normalise import fold, tidy

FAILURES = 3  # in a row: then a person
PAUSES = 3  # other questions in between, after which the action is forgotten
PROOF = "proof"  # what ``asked`` holds while a second proof is asked for
LACKS = 2  # times that the customer says he does not have it: then a person
HELPED = ("order", "email", "phone", "text", "proof")  # of which there is something to say
ANYTHING = "anything"  # after an order that was not found: any detail may be given anew


class Actions(Protocol):
    """The installation's actions; chatbot/dialogue/bound_actions.py keeps them in the database."""

    def bound(self, intent: str | None, article_slug: str | None = None) -> Action | None:
        """The action that is switched on for this intent, or for the one that this article belongs to."""
        ...

    def named(self, name: str) -> Action | None: ...

    def enabled(self) -> Sequence[Action]:
        """All that are switched on, in the order of their intents."""
        ...

    def run(
        self, action: Action, slots: Mapping[str, Value], proof: Mapping[str, str], talk: Talk, *, lang: str
    ) -> Outcome:
        """Make the request and keep a record of it."""
        ...

    def unsuccessful(self, action: Action, talk: Talk) -> int:
        """How many requests in a row led to nothing in this conversation."""
        ...


@dataclass(frozen=True, slots=True)
class Acted:
    """The reply, with its rule and reason for the trace."""

    kind: ReplyKind
    rule: str
    reason: str
    text: str
    trace: ActionTrace
    again: bool = False  # offer to try again
    article: bool = False  # offer the intent's article
    cards: tuple[Card, ...] = ()


def complete(action: Action, text: str, *, find: Finder = nothing) -> bool:
    """Whether ``text`` itself brings every detail of an action that changes nothing."""
    found = read_slots(action.slots, [Said(text)], find=find)
    return bool(action.slots) and not action.changes and all(slot.name in found for slot in action.slots)


def gives(action: Action, talk: Talk, text: str, *, find: Finder = nothing) -> bool:
    """Whether ``text`` is, as it stands, an answer to what the action had asked for. What may as well be another
    question, or a remark, is first held against everything else that the bot understands."""
    asked = talk.pending.asked if talk.pending else None
    slot = _slot(action, asked)
    if needs_help(text) and not (slot is not None and slot.kind == "confirm"):
        return True
    if not _takes(action, talk, text, find):
        return False
    if asked in (PROOF, ANYTHING) and is_question(text):
        return bool(read_proofs(action.proof.accepts, [Said(text)], asked=()))
    if slot is None or slot.kind != "confirm":
        return True
    return yes_or_no(text) is not None or correction(text)[1] or _names_address(action, text)


def _takes(action: Action, talk: Talk, text: str, find: Finder, *, last: bool = False) -> bool:
    """Whether the action finds something in ``text`` that it had asked for. ``last``: nothing else understood it."""
    pending = talk.pending
    asked = pending.asked if pending else None
    paused = pending is not None and pending.state == "paused"
    slot = _slot(action, asked)
    kind = slot.kind if slot is not None else None
    if slot is not None and paused and not last and kind in ("text", "entity"):
        # after another question any words could be anything: but not those that name what was asked for
        if kind == "text":
            return asks_address(slot) and _names_address(action, text)
        return not is_question(text) and slot.name in read_slots([slot], [Said(text)], find=find)
    said = [Said(text, asked, of=action.name)]
    if asked in (PROOF, ANYTHING):
        slots = read_slots(action.slots, said, find=find, accepts=action.proof.accepts)
        proofs = read_proofs(action.proof.accepts, said, asked=(PROOF, ANYTHING))
        return bool(proofs or (asked == ANYTHING and slots))
    known = (
        said_to(pending.wish, talk.said) if pending and pending.wish and kind in ("text", "confirm") else []
    )
    slots = read_slots(action.slots, [*known, *said], find=find, accepts=action.proof.accepts)
    if kind == "confirm" and not paused:  # yes, no, or a detail that is given anew
        before = read_slots(action.slots, known, find=find, accepts=action.proof.accepts)
        return asked in slots or any(slots[name] != before.get(name) for name in slots)
    return asked in slots


def _slot(action: Action, name: str | None) -> Slot | None:
    return next((slot for slot in action.slots if slot.name == name), None)


def _names_address(action: Action, text: str) -> bool:
    """Whether the message names an address, and the action wants one."""
    wanted = any(asks_address(slot) for slot in action.slots)
    return wanted and not is_question(text) and named_address(text) is not None


def act(
    action: Action,
    talk: Talk,
    text: str,
    actions: Actions,
    *,
    lang: str,
    find: Finder = nothing,
    wish: Wish | None = None,
    last: bool = False,
) -> Acted:
    """The next step of ``action`` after the customer's ``text`` (raw). ``find``: the learned entities. ``wish``: what a
    new run is begun for, or one that was left is taken up for; without it, the whole of ``text``.
    ``last``: the message was understood as nothing else."""
    # as written, and not as the models read it: an address keeps its commas
    text, talk = tidy(text), replace(talk, said=[replace(one, text=tidy(one.text)) for one in talk.said])
    pending = talk.pending if talk.pending and talk.pending.name == action.name else None
    pending = pending if pending is not None and pending.open else None
    asked = pending.asked if pending else None
    gives_anew = bool(read_slots(_values(action, asked), [Said(text)], find=find)) if pending else False
    missed = pending is not None and not gives_anew and not _takes(action, talk, text, find, last=last)
    need = needs_help(text) if missed else None
    if pending:  # one without a wish was stored before there were any: it begins anew with this message
        wish = pending.wish or Wish(action.name, 0, 0, 0, since=talk.turn_id - 1)
    wish = wish or Wish(action.name, talk.turn_id, 0, len(text))
    wish = wish if wish.since else replace(wish, since=talk.turn_id)
    answer = Said(text, None if missed else asked, of=action.name if pending else "", turn=talk.turn_id)
    said = said_to(wish, [*talk.said, *([answer] if text else [])])
    found = read_slots(action.slots, said, find=find, accepts=action.proof.accepts)
    confirms = [slot.name for slot in action.slots if slot.kind == "confirm"]
    state = ActionTrace(
        action.name,
        "asking",
        filled=tuple(found),
        failures=pending.failures if pending else 0,
        changes=action.changes,
        wish=wish,
        lacks=pending.lacks if pending else 0,
        waiting=pending.waiting if pending else (),
        shown=_hash_of(action, found, talk),
        aside=pending is None and wish.since != talk.turn_id,
    )
    if any(found[name].value == "no" for name in confirms if name in found):
        return dropped(action, state, lang)
    if pending is None or pending.shown != state.shown:  # a yes holds for one run, and for what was shown
        found = {name: value for name, value in found.items() if name not in confirms}
        state = replace(state, filled=tuple(found))
    if action.changes_unproven:  # stored before a proof was required
        return _to_person(state, "changes something without a proof that the service checks", lang, talk.said)
    brings = missed and _brings(action, found, said, pending, find)
    if missed and not brings:
        state = replace(state, failures=state.failures + 1, lacks=state.lacks + (need == "lacks"))
    failed = state.failures + actions.unsuccessful(action, talk)
    if failed >= FAILURES:
        return _to_person(state, f"failed {failed} times in a row", lang, talk.said)
    if state.lacks >= LACKS:
        return _to_person(state, "needs what the customer does not have", lang, talk.said)

    proofs = _proofs(action, talk, said)
    ask = _missing(action, found, proofs, talk)
    if ask is not None and ask == "sign in":
        return Acted(
            "ask", "action_sign_in", f"the action {action.name} needs a signed-in visitor",
            phrase("action_sign_in", lang), replace(state, state="failed"),
        )  # fmt: skip
    if asked == ANYTHING and missed:
        return Acted(
            "ask", "action_ask", f"the action {action.name} was given nothing new",
            (_help(action, None, lang) if need else "") + phrase("action_not_found", lang),
            replace(state, asked=ANYTHING),
        )  # fmt: skip
    if ask is not None:
        slot = _slot(action, ask)
        question = _question(action, slot, found, lang)
        if missed and asked == ask:
            if slot is not None and slot.kind == "confirm" and doubts(text):
                # a yes to the same question might mean what was not understood
                ask, slot = _to_correct(action, slot)
                question = phrase("action_instead", lang) + _question(action, slot, found, lang)
            else:
                question = _on_missed(action, slot, need, brings=brings, lang=lang) + question
        return Acted(
            "ask", "action_ask", f"the action {action.name} needs {ask}", question, replace(state, asked=ask),
            article=pending is None,
        )  # fmt: skip
    return _make(action, found, proofs, talk, actions, state, lang)


def question_of(
    action: Action, pending: ActionTrace, talk: Talk, *, lang: str, find: Finder = nothing
) -> str:
    """What a paused action had asked, in words; empty where there is no one thing."""
    said = said_to(pending.wish, talk.said) if pending.wish else list(talk.said)
    slot = _slot(action, pending.asked)
    if slot is None and pending.asked != PROOF:
        return ""
    found = read_slots(action.slots, said, find=find, accepts=action.proof.accepts)
    return _question(action, slot, found, lang)


def _brings(
    action: Action,
    found: Mapping[str, Value],
    said: Sequence[Said],
    pending: ActionTrace | None,
    find: Finder,
) -> bool:
    """Whether a message that did not answer the question gave something else that is needed: a detail or a proof, for
    the first time or another one."""
    if pending is not None and set(found) - set(pending.filled):
        return True
    accepts = action.proof.accepts
    known = read_slots(action.slots, said[:-1], find=find, accepts=accepts)
    confirms = {slot.name for slot in action.slots if slot.kind == "confirm"}
    if any(value != known.get(name) for name, value in found.items() if name not in confirms):
        return True
    given = read_proofs(accepts, said[-1:], asked=())
    return bool(given) and given != read_proofs(accepts, said[:-1], asked=(PROOF, ANYTHING))


def _to_correct(action: Action, confirm: Slot) -> tuple[str, Slot]:
    """The detail that is asked for anew where it is not clear what shall stand in its place."""
    slots = [slot for slot in action.slots if slot.kind != "confirm"]
    slot = next((slot for slot in reversed(slots) if slot.kind == "text"), slots[-1] if slots else confirm)
    return slot.name, slot


def _on_missed(action: Action, slot: Slot | None, need: Need | None, *, brings: bool, lang: str) -> str:
    if need:
        return _help(action, slot, lang)
    return phrase("action_noted" if brings else "action_unread", lang)


def _help(action: Action, slot: Slot | None, lang: str) -> str:
    """Where a detail is found, or what it is for."""
    kind = slot.kind if slot is not None else "proof"
    return phrase(f"help_{kind if kind in HELPED else 'other'}", lang)


def dropped(action: Action, state: ActionTrace, lang: str) -> Acted:
    """The customer no longer wants it."""
    return Acted(
        "ask", "action_dropped", f"the customer drops the action {action.name}", phrase("action_dropped", lang),
        replace(state, state="dropped", asked=None),
    )  # fmt: skip


def _make(
    action: Action,
    found: Mapping[str, Value],
    proofs: Mapping[str, str],
    talk: Talk,
    actions: Actions,
    state: ActionTrace,
    lang: str,
) -> Acted:
    outcome = actions.run(action, found, proofs, talk, lang=lang)
    state = replace(
        state,
        proof=_shown(action, proofs),
        outcome=outcome.result,
        detail=outcome.detail,
        attempts=outcome.attempts,
        milliseconds=outcome.milliseconds,
    )
    text = ""
    cards: tuple[Card, ...] = ()
    if outcome.result == "done":
        values = {**outcome.answer, **{name: value.text for name, value in found.items()}}
        try:
            template = choose(action.templates_for(lang), outcome.answer)
            text = fill(template.text, values, lang=lang)
            cards = filled(template.cards, lambda words: fill(words, values, lang=lang))
        except FrontdeskError as error:
            outcome = replace(outcome, result="failed", detail=error.one_line())
            state = replace(state, outcome="failed", detail=outcome.detail)
    if outcome.result == "done":
        return Acted(
            "approved", "action", f"the action {action.name} answered; its text is approved", text,
            replace(state, state="done", failures=0), cards=cards,
        )  # fmt: skip
    failed = state.failures + actions.unsuccessful(action, talk)
    if failed >= FAILURES:
        return _to_person(
            state, f"failed {failed} times in a row, the last: {outcome.detail}", lang, talk.said
        )
    if outcome.result == "failed":
        return Acted(
            "unknown", "action_failed", f"the action {action.name} failed: {outcome.detail}",
            phrase("action_failed", lang), replace(state, state="failed"), again=True,
        )  # fmt: skip
    return Acted(
        "ask", "action_not_found", f"the action {action.name} gave no result: {outcome.detail}",
        phrase("action_not_found", lang), replace(state, asked=ANYTHING),
    )  # fmt: skip


def _to_person(state: ActionTrace, why: str, lang: str, said: Sequence[Said]) -> Acted:
    text = phrase("action_person", lang)
    others = [f"“{clip(words)}”" for one in state.waiting if (words := words_of(one, said))]
    if others:
        text += phrase("action_person_others", lang) + ("、" if lang == "zh" else ", ").join(others)
    return Acted(
        "person",
        "action_failed",
        f"the action {state.name} {why}",
        text,
        replace(state, state="failed", asked=None),
    )


def _values(action: Action, asked: str | None) -> list[Slot]:
    """The details that can be given anew wherever they stand, where ``asked`` is their confirmation."""
    if not any(slot.name == asked and slot.kind == "confirm" for slot in action.slots):
        return []
    return [slot for slot in action.slots if slot.kind not in ("confirm", "text")]


def _hash_of(action: Action, found: Mapping[str, Value], talk: Talk) -> str:
    """Of the details that are shown to be confirmed: they are compared, and not kept."""
    shown = [
        fold(found[slot.name].value) for slot in action.slots if slot.kind != "confirm" and slot.name in found
    ]
    return hashlib.sha256("\x1f".join([talk.conversation, *shown]).encode()).hexdigest()[:16]


def _proofs(action: Action, talk: Talk, said: list[Said]) -> dict[str, str]:
    """What can prove that it is the customer's own: the signed-in identity, and what he wrote."""
    if not action.proof.needed:
        return {}
    found = read_proofs(action.proof.accepts, said, asked=(PROOF, ANYTHING))
    if talk.identity is not None:
        found["identity"] = talk.identity
        if talk.email:
            found["email"] = talk.email  # signed as well: it goes before what was typed
    return found


def _missing(action: Action, found: Mapping[str, Value], proofs: Mapping[str, str], talk: Talk) -> str | None:
    """What to ask for next; None where everything is there."""
    for slot in action.slots:
        if slot.kind != "confirm" and slot.name not in found:
            return slot.name
    if action.proof.needed and not _provable(action, proofs):
        return PROOF if action.proof.accepts else "sign in"
    return next(
        (slot.name for slot in action.slots if slot.kind == "confirm" and slot.name not in found), None
    )


def _provable(action: Action, proofs: Mapping[str, str]) -> bool:
    if "identity" in proofs and action.proof.signed_in_is_enough():
        return True
    return any(name in proofs for name in action.proof.accepts) or (
        "identity" in proofs and "email" in proofs and "email" in action.proof.paths
    )


def _shown(action: Action, proofs: Mapping[str, str]) -> str:
    if not action.proof.needed:
        return ""
    return "signed in" if "identity" in proofs else ", ".join(sorted(proofs))


def _question(action: Action, slot: Slot | None, found: Mapping[str, Value], lang: str) -> str:
    if slot is None:
        name = "_or_".join(action.proof.accepts)
        return phrase(f"ask_proof_{name}", lang)
    own = slot.question(lang)
    if not own:
        return phrase(f"ask_{slot.kind}", lang)
    try:
        return fill(own, {name: value.text for name, value in found.items()}, lang=lang)
    except FrontdeskError:  # it names a detail that is asked for later
        return own

"""The actions in one turn of a conversation: which one the message goes on with, and what comes after it.

Only one asks at a time. A second request that is bound to an action waits until the first is done, failed or dropped,
and is then taken up in the same reply; so is one that another request has interrupted. Of several orders in one message
each is told, one after the other. A message of nothing but an order's number gets what there is to tell of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatbot.dialogue.acting import ANYTHING, PAUSES, Acted, Actions, act, dropped, gives, question_of
from chatbot.dialogue.actions import Action, Finder, Said, Talk
from chatbot.dialogue.clock import Clock
from chatbot.dialogue.named_orders import AT_ONCE, named_order, orders_in, orders_named, wanted_orders
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.own_words import is_dropped, tries_again
from chatbot.dialogue.person_wish import asks_for_person
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import MAX_CHOICES, Decision
from chatbot.dialogue.saying import INTENT, Part
from chatbot.dialogue.slot_filling import Value
from chatbot.dialogue.tapping import is_payload, unasked
from chatbot.dialogue.trace import ActionTrace, Wish
from chatbot.dialogue.weighing import Candidate, KnownIntent
from chatbot.dialogue.wishes import wish_for, words_of
from chatbot.language.redaction import Redactor


class ActionTurn:
    """One message and the actions of the installation. Lives as long as its reply. ``text``: the message, normalised;
    ``written``: as it was written, empty where it was a tap."""

    def __init__(
        self,
        actions: Actions | None,
        talk: Talk | None,
        text: str,
        written: str,
        redactor: Redactor,
        lang: str,
        find: Finder,
        clock: Clock,
    ) -> None:
        self.text = text
        self._written = "" if is_payload(text) else written
        self._actions = actions
        self._talk = talk
        self._redactor = redactor
        self._lang = lang
        self._find = find
        self._clock = clock
        pending = talk.pending if talk is not None else None
        self._pending = pending if pending is not None and pending.open and pending.paused <= PAUSES else None
        self._asks: str | None = None  # the action that asks something in this reply
        self._goes_on = False  # the message was understood as a request of the action that waits
        self._queue: list[Wish] = []  # what comes after the action that asks
        self._orders: dict[str, list[Value]] = {}  # by action: those that its request names, where several

    def bound(
        self, ranked: Sequence[Candidate], known: Mapping[str, KnownIntent], options: SiteOptions
    ) -> Action | None:
        """The action of the likeliest candidate."""
        best = ranked[0] if ranked else None
        if self._actions is None or self._talk is None or best is None:
            return None
        own = known.get(best.intent or "")
        if best.probability < options.choice_floor or (own is not None and not own.acts):
            return None
        return self._actions.bound(best.intent, best.article_slug)

    def step(self, read: str, *, silent: bool) -> list[Part] | None:
        """The message goes on with an action: it answers what was asked, drops it, or taps an intent that has one.
        ``read``: the message, redacted; ``silent``: none is begun."""
        if self._actions is None or self._talk is None:
            return None
        failed = self._failed()
        if failed is not None and tries_again(self.text):
            return None if silent else self._begun(self._actions.named(failed.name), failed)
        if self.text.startswith(INTENT) and not silent:
            return self._begun(self._actions.bound(self.text.removeprefix(INTENT)), failed)
        pending = self._pending
        action = self._actions.named(pending.name) if pending is not None else None
        if is_payload(self.text) or asks_for_person(self.text):
            return None
        if action is None or pending is None:
            return None if silent else self._about_orders(read)
        answer = unasked(read, self._lang)
        given = gives(action, self._talk, self.text, find=self._find)
        if is_dropped(self.text) and not given:
            return self._in_turn(
                [_told(dropped(action, pending, self._lang), action, answer)], pending.waiting
            )
        if given:
            if pending.asked in (ANYTHING, *(slot.name for slot in action.slots if slot.kind == "order")):
                self._note_orders(action, 0, len(self.text))
            return self._in_turn([self._acted(action, answer)], pending.waiting)
        return None if silent or pending.state != "paused" else self._about_orders(read)

    def _failed(self) -> ActionTrace | None:
        """Where the action stood whose request has just failed, so that the customer was asked to try again."""
        last = self._talk.pending if self._talk is not None else None
        return last if last is not None and last.state == "failed" and last.outcome == "failed" else None

    def _begun(self, action: Action | None, failed: ActionTrace | None) -> list[Part] | None:
        """The action that was tapped, or shall be tried again: with what was given to the run that ``failed``."""
        if action is None or self._talk is None:
            return None
        wish = Wish(action.name, self._talk.turn_id, 0, 0)
        if failed is not None and failed.name == action.name:
            wish = failed.wish or wish
        return self._in_turn([self._acted(action, unasked(self.text, self._lang), wish)], self._left())

    def _about_orders(self, read: str) -> list[Part] | None:
        """What there is to tell of the orders that the message names and says nothing else about; where that is not one
        thing, it is asked what is wanted. None where it says more."""
        if self._actions is None or self._talk is None or not any(map(str.isdigit, self.text)):
            return None
        actions = [one for one in self._actions.enabled() if wanted_orders(one, self.text)]
        values = wanted_orders(actions[0], self.text) if actions else orders_named(self.text)
        says = named_order(self.text, values)
        telling = [one for one in actions if orders_in(one, self.text)]
        part = unasked(read, self._lang)
        if says is not None and len(telling) == 1:
            action = telling[0]
            self._note_orders(action, 0, len(self.text))
            began = Wish(action.name, self._talk.turn_id, 0, len(self.text))
            acted = self._acted(action, part, began)
            before = self._talk.topics[-1][0] if self._talk.topics else action.intent
            if (
                says == "alone"
                and acted.acted is not None
                and acted.acted.rule == "action"
                and before != action.intent
            ):
                else_ = phrase(
                    "order_else", self._lang
                )  # the number may have been meant for what was spoken of
                acted = replace(acted, acted=replace(acted.acted, text=f"{acted.acted.text}\n\n{else_}"))
            return self._in_turn([acted], self._left())
        if says != "alone":
            return None
        asked = tuple(Candidate(0.0, one.name, one.intent) for one in actions[:MAX_CHOICES])
        why = "an order's number and nothing else: it is asked what is wanted"
        decision = Decision("choices", "about_order", why, 1.0, choices=asked)
        trace = replace(part.trace, kind="choices", rule="about_order", reason=why)
        return self._in_turn([Part(decision, trace)], self._left())

    def _note_orders(self, action: Action, start: int, end: int) -> None:
        """Keep the orders named in ``start:end`` of the message, where there are several: each is told."""
        orders = orders_in(action, self.text[start:end])
        if len(orders) > 1:
            self._orders[action.name] = [
                replace(order, start=start + order.start, end=start + order.end) for order in orders
            ]

    def part(self, action: Action, part: Part) -> Part:
        """What the action says to the request of ``part``; or that it comes after the one that asks already."""
        if self._talk is None:
            return part
        wish = wish_for(action.name, self._talk.turn_id, part.trace.request, self.text, self._redactor)
        own = Candidate(part.decision.confidence, action.name, action.intent)
        if self._asks is not None:
            self._queue.append(wish)
            why = f"{part.trace.reason}; the action {action.name} waits for the action {self._asks}"
            decision = Decision("ask", "action_waits", why, part.decision.confidence, own)
            return Part(decision, replace(part.trace, kind="ask", rule="action_waits", reason=why))
        goes_on = self._pending is not None and self._pending.name == action.name
        self._goes_on = self._goes_on or goes_on
        self._note_orders(action, wish.start, wish.end)
        part = self._acted(action, part, None if goes_on else wish)
        if part.trace.action is not None and part.trace.action.open:
            self._asks = action.name
        return part

    def after(self, parts: list[Part], *, spoken: bool) -> list[Part]:
        """The message was no answer to what an action had asked for. What was understood of it is answered and the
        action waits; where nothing was, it asks once more. Another action that speaks goes before it.

        ``spoken``: the message is words, and no tap."""
        pending = self._pending
        action = self._actions.named(pending.name) if self._actions is not None and pending else None
        if action is None or pending is None or any(part.decision.kind == "person" for part in parts):
            return self._in_turn(parts, self._queue)
        if any(part.acted for part in parts):
            return self._in_turn(parts, [*self._queue, *(pending.waiting if self._goes_on else self._left())])
        refused = any(part.decision.rule == "others_data" for part in parts)
        if not refused and {part.decision.kind for part in parts} <= {"unknown", "choices"}:
            asked = self._acted(action, parts[0], text=self._written if spoken else "", last=True)
            return self._in_turn([asked], pending.waiting)
        waits = replace(pending, state="paused", paused=pending.paused + 1)
        last = replace(parts[-1], trace=replace(parts[-1].trace, action=waits))
        return [*parts[:-1], replace(last, behind=self._back_to(action, waits, last.decision))]

    def _back_to(self, action: Action, waits: ActionTrace, answered: Decision) -> str:
        """The question that waits, said behind the answer to another one; not to who takes leave, or
        was refused."""
        leaves = answered.chosen is not None and answered.chosen.intent == "goodbye"
        refused = answered.rule == "others_data"
        if self._talk is None or leaves or refused or waits.paused > PAUSES:
            return ""
        question = question_of(action, waits, self._talk, lang=self._lang, find=self._find)
        return phrase("action_back", self._lang) + question if question else ""

    def _left(self) -> tuple[Wish, ...]:
        """What waits while something else speaks: the action that had asked, and what was to come after it."""
        if self._pending is None:
            return ()
        own = self._pending.wish
        return (own, *self._pending.waiting) if own is not None else self._pending.waiting

    def _in_turn(self, parts: list[Part], waiting: Sequence[Wish]) -> list[Part]:
        """The parts, behind them what of ``waiting`` can be taken up now; the rest stays with the action that asks."""
        parts, left = self._each_told(parts, list(waiting))
        while left and _open(parts) is None and parts[-1].decision.kind != "person":
            wish = left.pop(0)
            action = self._actions.named(wish.name) if self._actions is not None else None
            if action is not None:  # it may have been switched off since
                parts = [*parts, self._taken_up(action, wish)]
        place = _open(parts)
        if left and place is not None:
            trace = parts[place].trace
            state = replace(trace.action, waiting=tuple(left)) if trace.action is not None else None
            parts[place] = replace(parts[place], trace=replace(trace, action=state))
        return parts

    def _each_told(self, parts: Sequence[Part], waiting: Sequence[Wish]) -> tuple[list[Part], list[Wish]]:
        """The parts, behind what was told of one order what there is to tell of the others, and what waits by now: the
        others, too, where the action must ask for something first."""
        told: list[Part] = []
        left = list(waiting)
        for part in parts:
            told.append(part)
            name = part.trace.action.name if part.trace.action is not None else ""
            action = self._actions.named(name) if self._actions is not None and name in self._orders else None
            if action is None or self._talk is None:
                continue
            first, *others = self._orders.pop(name)
            told[-1] = _naming(part, first, self._lang)
            while others and len(told) - len(parts) < AT_ONCE - 1 and _lets_speak(told[-1]):
                order = others.pop(0)
                wish = Wish(name, self._talk.turn_id, order.start, order.end)
                acted = self._acted(action, unasked(part.trace.request, self._lang), wish)
                told.append(_naming(acted, order, self._lang))
            if _lets_speak(told[-1]):
                told[-1] = _with_the_others(told[-1], others, self._lang)
            else:
                left = [Wish(name, self._talk.turn_id, one.start, one.end) for one in others] + left
        return told, left

    def _taken_up(self, action: Action, wish: Wish) -> Part:
        if self._talk is None:
            raise ValueError("nothing waits where there is no conversation")
        words = words_of(wish, [*self._talk.said, Said(self.text, turn=self._talk.turn_id)])
        part = self._acted(action, unasked(self._redactor.redact(words), self._lang), wish)
        if part.acted is None:
            return part
        return replace(
            part, acted=replace(part.acted, text=phrase("action_next", self._lang) + part.acted.text)
        )

    def _acted(
        self,
        action: Action,
        part: Part,
        wish: Wish | None = None,
        *,
        text: str | None = None,
        last: bool = False,
    ) -> Part:
        """The next step of the action; with a ``wish`` it is begun, or taken up again."""
        if self._actions is None or self._talk is None:
            return part
        talk = replace(self._talk, pending=self._pending if wish is None else None)
        text = self._written if text is None else text
        with self._clock("action"):
            acted = act(
                action, talk, text, self._actions, lang=self._lang, find=self._find, wish=wish, last=last
            )
            return _told(acted, action, part)


def _open(parts: Sequence[Part]) -> int | None:
    """The place of the part whose action waits for an answer."""
    places = (
        place for place, part in enumerate(parts) if part.trace.action is not None and part.trace.action.open
    )
    return next(places, None)


def _lets_speak(part: Part) -> bool:
    """Whether the action asks for nothing more about this order: another one can be told of behind it."""
    state = part.trace.action
    waits = state is not None and state.open and state.asked != ANYTHING
    return part.decision.kind != "person" and not waits


def _naming(part: Part, order: Value, lang: str) -> Part:
    """What could not be found is named where it is one of several."""
    if part.acted is None or part.acted.rule != "action_not_found":
        return part
    colon = "：" if lang == "zh" else ": "
    return replace(part, acted=replace(part.acted, text=f"{order.text}{colon}{part.acted.text}"))


def _with_the_others(part: Part, orders: Sequence[Value], lang: str) -> Part:
    """The part that says of ``orders`` that they were too many for one reply."""
    if part.acted is None or not orders:
        return part
    names = ("、" if lang == "zh" else ", ").join(order.text for order in orders)
    text = f"{part.acted.text}\n\n{phrase('action_more', lang).format(orders=names)}"
    return replace(part, acted=replace(part.acted, text=text))


def _told(acted: Acted, action: Action, part: Part) -> Part:
    own = Candidate(max(part.decision.confidence, 0.0), action.name, action.intent)
    decision = Decision(acted.kind, acted.rule, acted.reason, part.decision.confidence, own)
    trace = replace(
        part.trace, kind=acted.kind, rule=acted.rule, reason=f"{part.trace.reason}; {acted.reason}".strip("; "),
        action=acted.trace,
    )  # fmt: skip
    return Part(decision, trace, acted)

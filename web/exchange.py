"""A message to its stored answer, exactly once.

The customer's turn is committed before the answer is computed, and the bot's turn with its whole trace before
anybody is told: a crash in between loses neither, and the same ``client_message_id`` sent again finishes the work.
Nothing is locked in the database while the models run. Two messages of one conversation are answered in order
within a process; across processes the unique reply of a turn (``store_reply``) keeps an answer single.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakValueDictionary

from chatbot.dialogue.absence import hear_danger, hear_message, tell_if_closed
from chatbot.dialogue.danger_texts import RULE
from chatbot.dialogue.files import reply_to_files
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.taking_back import takes_back, without_taking_back
from chatbot.dialogue.trace import Reply, Trace
from chatbot.errors import InputError
from chatbot.language.normalise import detect_language, normalise
from chatbot.records.conversations import (
    FILES_ONLY,
    State,
    find_conversation,
    find_with_visitor,
    receive_message,
    reply_to,
    return_to_bot,
    store_reply,
    tapped,
)
from chatbot.records.database import Database
from chatbot.records.earlier_turns import turns_before
from chatbot.records.tables import Turn
from web import metrics
from web.addresses import absolute, with_help_pages
from web.pressure import Crowd
from web.serving import Serving


@dataclass(frozen=True, slots=True)
class Accepted:
    """A customer's message that is safely stored."""

    public_id: str
    turn: Turn
    state: State
    locale: str
    options: SiteOptions
    new: bool  # it had not come before
    back: bool = False  # a person was awaited, and the message says that none is needed


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer as stored. ``reply`` is None while a person is awaited or answers."""

    turn_id: int
    message_id: int
    state: State
    reply: dict[str, Any] | None

    def as_json(self, *, origin: str) -> dict[str, Any]:
        """``origin`` is the installation's own, for the addresses of its help pages."""
        return {
            "turn_id": self.turn_id,
            "message_id": self.message_id,
            "state": self.state,
            "reply": absolute(self.reply, origin),
        }

    @property
    def status(self) -> int:
        return 200 if self.reply is not None else 202


class Exchange:
    """``message_limit`` is in characters; ``crowd`` are the messages that are being answered here."""

    def __init__(
        self, database: Database, serving: Serving, *, message_limit: int, crowd: Crowd | None = None
    ) -> None:
        self._database = database
        self._serving = serving
        self._message_limit = message_limit
        self._crowd = crowd or Crowd()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._guard = threading.Lock()

    def accept(
        self,
        public_id: str,
        *,
        text: str,
        client_message_id: str | None,
        locale: str,
        options: SiteOptions,
        files: Sequence[str] = (),
    ) -> Accepted:
        """Store the customer's turn with the files that were uploaded for it; one without a word of its own says
        their names. Raises InputError for a text that is empty or too long."""
        if len(text) > self._message_limit:
            raise InputError(
                f"The message is too long: {len(text)} characters",
                field="text",
                code="too_long",
                remedy=f"Write at most {self._message_limit} characters, or send it in parts",
            )
        if not normalise(text) and not files:
            raise InputError("The message is empty", field="text", code="empty", remedy="Write something")
        lang = detect_language(text, default=primary(locale))
        with self._database.write() as session:
            received = receive_message(
                session,
                public_id,
                text=text.strip(),
                lang=lang,
                client_message_id=client_message_id,
                files=files,
            )
            if received.new:
                hear_message(session, received.conversation, received.turn.text)
                hear_danger(session, received.conversation, received.turn.text, options)
            state, conversation = received.state, received.conversation
            back = (
                received.new
                and state == "waiting"
                and conversation.external_id is None
                and conversation.handover_reason != RULE  # a danger to life stays with people
                and takes_back(received.turn.text)
            )
            if back:
                state = cast(State, return_to_bot(session, public_id).state)
        return Accepted(public_id, received.turn, state, locale, options, received.new, back)

    def answer(self, accepted: Accepted) -> Answered:
        """The stored answer to the message, computed now where there is none yet.

        Raises UnavailableError while no release is live; the message is stored, and sending it again is safe.
        """
        turn = accepted.turn
        with self._turn_of(accepted.public_id), self._crowd.joined():
            with self._crowd.in_turn():
                made = self._make(accepted)
            if isinstance(made, Answered):
                return made
            reply, trace = made
            metrics.REPLIES.labels(reply.kind, turn.lang).inc()
            metrics.count_drafts(trace)
            with self._database.write() as session:
                stored, state = store_reply(
                    session, accepted.public_id, to=turn.id, reply=reply, trace=trace, lang=turn.lang
                )
                if state == "waiting":
                    tell_if_closed(session, find_conversation(session, accepted.public_id), accepted.options)
        if stored is None:
            return Answered(turn.id, turn.id, state, None)
        return Answered(stored.id, turn.id, state, stored.reply)

    def _make(self, accepted: Accepted) -> Answered | tuple[Reply, Trace]:
        """A new reply, or what is there already: one that was stored before, or a person."""
        turn = accepted.turn
        with self._database.read(alone=True) as session:
            conversation, visitor = find_with_visitor(session, accepted.public_id)
            state, begun = cast(State, conversation.state), conversation.created_at
            stored = None if accepted.new else reply_to(session, turn.id)
            if stored is not None:
                return Answered(stored.id, turn.id, state, stored.reply)
            if state in ("waiting", "human"):
                return Answered(turn.id, turn.id, state, None)
            before = turns_before(session, turn)
        began = time.perf_counter()
        assistant = self._serving.assistant(accepted.public_id, begun)
        if turn.kind == FILES_ONLY:
            reply, trace = reply_to_files(turn.text, assistant.release_id, turn.lang, accepted.options)
        else:
            reply, trace = assistant.reply(
                without_taking_back(turn.text) if accepted.back else tapped(turn) or turn.text,
                history=before.history(),
                locale=accepted.locale,
                options=accepted.options,
                failures=before.failures(),
                talk=before.talk(conversation, visitor, turn.id),
                hurried=self._crowd.too_many,
            )
        metrics.REPLY_SECONDS.observe(time.perf_counter() - began)
        return with_help_pages(reply, trace), trace

    def _turn_of(self, public_id: str) -> threading.Lock:
        """The conversation's lock; it goes when nobody holds it any more."""
        with self._guard:
            lock = self._turns.get(public_id)
            if lock is None:
                lock = self._turns[public_id] = threading.Lock()
            return lock


def primary(locale: str) -> str:
    """``zh`` of ``zh-CN``."""
    return locale.replace("_", "-").partition("-")[0].lower()

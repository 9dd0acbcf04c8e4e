"""Playing test conversations: the bot's own words are in its history, and each turn is judged."""

from __future__ import annotations

import json

import pytest

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import Classification, Hit, PartTrace, Reply, ReplyPart, Trace
from chatbot.errors import FileError
from chatbot.learning.conversations_played import conversation_figures, load_conversations, play

ASKED = {
    "text": "when is my money back",
    "intent": "refund_time",
    "article": "refund",
    "answerable": True,
    "facts": {"must": [["3 days"]], "must_not": []},
}
UNKNOWN = {"text": "is the driver nice", "intent": None, "article": None, "answerable": False, "facts": {}}
THANKS = {"text": "thanks", "intent": "thanks", "article": None, "answerable": True, "facts": {}}


class Bot:
    """Says "3 days" to money, the same to everything else it is asked, and hears thanks."""

    def __init__(self) -> None:
        self.histories: list[list[str]] = []

    def reply(self, text, *, options, history, locale, failures):
        self.histories.append([message.text for message in history])
        kind = "smalltalk" if text == "thanks" else "generated"
        hit = Hit(1, 1, "refund", "t", "t", "", "long", "en", 0.9, 0.0, 0.0)
        why = PartTrace(text, "en", Classification((), 0.9), (hit,), None, kind, "sure", "because")
        said = "You are welcome" if kind == "smalltalk" else "It takes 3 days"
        return Reply((ReplyPart(said, kind, 0.9),)), Trace("r1", options.mode, {}, (why,))


def conversations(tmp_path, *turns):
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({"id": "c1", "lang": "en", "turns": list(turns)}), encoding="utf-8")
    return load_conversations(path)


def test_each_turn_is_judged_with_what_the_bot_said_before_in_view(tmp_path):
    bot = Bot()
    played = play(bot, conversations(tmp_path, ASKED, UNKNOWN, THANKS), SiteOptions())
    assert [turn.judgement for turn in played] == ["right", "wrong", "right"]
    assert bot.histories[1] == ["when is my money back", "It takes 3 days"]
    all_turns = conversation_figures(played)[-1]
    assert (all_turns.turns, all_turns.right, all_turns.generated, all_turns.generated_true) == (
        2,
        100,
        50,
        100,
    )
    assert (all_turns.unanswerable, all_turns.refused, all_turns.unanswerable_generated) == (1, 0, 100)


def test_a_message_with_two_requests_is_right_only_when_both_are(tmp_path):
    missing = ASKED | {"facts": {"must": [["free"]], "must_not": []}}
    both = {"text": "two things", "answerable": True, "requests": [ASKED, missing]}
    (turn,) = play(Bot(), conversations(tmp_path, both), SiteOptions())
    assert turn.judgement == "wrong" and not turn.facts_stated


def test_a_line_that_is_no_conversation_is_named(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text('{"id": "c1"}', encoding="utf-8")
    with pytest.raises(FileError, match="Not a test conversation") as error:
        load_conversations(path)
    assert error.value.field == "c.jsonl:1"

"""What the bot says to a message that is nothing but files: it reads no files and says so."""

from __future__ import annotations

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.saying import HANDOVER
from chatbot.dialogue.trace import Choice, Classification, PartTrace, Reply, ReplyPart, Trace


def reply_to_files(names: str, release_id: str, lang: str, options: SiteOptions) -> tuple[Reply, Trace]:
    """``names`` of the files as the customer's turn shows them."""
    choice = Choice(phrase("talk_to_person", lang), HANDOVER)
    part = ReplyPart(phrase("files", lang), "ask", 1.0, choices=(choice,))
    decided = PartTrace(
        request=names,
        lang=lang,
        classification=Classification((), 0.0, tier="none"),
        hits=(),
        draft=None,
        kind="ask",
        rule="files_only",
        reason="the message holds files and no words; the bot reads no files",
    )
    return Reply((part,)), Trace(release_id, options.mode, {}, (decided,))

"""What the bot says to a message that is nothing but files: it reads no files and says so."""

from __future__ import annotations

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import answers_nobody
from chatbot.dialogue.trace import HANDOVER, Choice, Classification, PartTrace, Reply, ReplyPart, Trace


def reply_to_files(names: str, release_id: str, lang: str, options: SiteOptions) -> tuple[Reply, Trace]:
    """``names`` of the files as the customer's turn shows them."""
    if options.mode == "drafts_only":
        decision = answers_nobody()
        part = ReplyPart(phrase("person", lang), "person", 1.0)
        rule, reason = decision.rule, decision.reason
    else:
        choice = Choice(phrase("talk_to_person", lang), HANDOVER)
        part = ReplyPart(phrase("files", lang), "ask", 1.0, choices=(choice,))
        rule, reason = "files_only", "the message holds files and no words; the bot reads no files"
    decided = PartTrace(
        request=names,
        lang=lang,
        classification=Classification((), 0.0, tier="none"),
        hits=(),
        draft=None,
        kind=part.kind,
        rule=rule,
        reason=reason,
        offers_person=part.kind == "ask",
    )
    return Reply((part,)), Trace(release_id, options.mode, {}, (decided,))

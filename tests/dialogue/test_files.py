from __future__ import annotations

from chatbot.dialogue.files import reply_to_files
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.phrases import phrase


def test_files_without_words_are_asked_about_or_left_to_a_person_where_the_bot_answers_nobody():
    asked, trace = reply_to_files("a.pdf", "r1", "en", SiteOptions())
    assert (asked.kind, asked.text, trace.parts[0].rule) == ("ask", phrase("files", "en"), "files_only")
    left, trace = reply_to_files("a.pdf", "r1", "zh", SiteOptions(mode="drafts_only"))
    assert (left.kind, left.text, trace.parts[0].rule) == ("person", phrase("person", "zh"), "drafts_only")
    assert trace.parts[0].kind == "person"

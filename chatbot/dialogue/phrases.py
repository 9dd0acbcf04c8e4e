"""What the bot says in its own name, in each language it speaks; anything else falls back to English."""

from __future__ import annotations

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Hello! How can I help?",
        "thanks": "You're welcome! Is there anything else?",
        "goodbye": "Goodbye, and thank you for writing to us.",
        "person": "I'll pass you on to a colleague. They can read what you wrote here.",
        "unknown": "I'm not sure I know the answer to that. Could you put it in other words, "
        "or shall I pass you on to a colleague?",
        "unknown_again": "I don't have a reliable answer to this, so I'd rather not guess. "
        "A colleague can help: shall I pass you on?",
        "asked_again": "It seems my answer did not help. Shall I pass you on to a colleague?",
        "unreadable": "Sorry, I could not read that. Please write your question in English or Chinese.",
        "choices": "Did you mean one of these?",
        "files": "I have your file, but I cannot read files myself. What would you like to know? "
        "Or a colleague can look at it.",
        "talk_to_person": "Talk to a person",
    },
    "zh": {
        "greeting": "您好！有什么可以帮您？",
        "thanks": "不客气！还有其他可以帮您的吗？",
        "goodbye": "感谢您的咨询，再见！",
        "person": "好的，我帮您转接人工客服，同事能看到您刚才写的内容。",
        "unknown": "这个问题我没有把握。您可以换个说法，或者我帮您转人工客服？",
        "unknown_again": "这个问题我没有可靠的答案，不想乱猜。需要帮您转人工客服吗？",
        "asked_again": "看来我的回答没能帮到您。需要帮您转人工客服吗？",
        "unreadable": "抱歉，我没看懂。请用中文或英文描述您的问题。",
        "choices": "您是想问下面哪一个？",
        "files": "文件已收到，不过我还不能读取文件内容。请告诉我您想了解什么，或者由人工客服来查看。",
        "talk_to_person": "转人工客服",
    },
}


def phrase(name: str, lang: str) -> str:
    """The phrase ``name`` in ``lang``. Raises KeyError for a name that does not exist."""
    return PHRASES.get(lang, PHRASES["en"])[name]

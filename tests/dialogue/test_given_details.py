"""Personal details where nobody asked for any."""

from __future__ import annotations

import pytest

from chatbot.dialogue.given_details import RULE, only_details


@pytest.mark.parametrize(
    "read",
    [
        "my email is [EMAIL]",
        "[EMAIL]",
        "it is [EMAIL_2], sorry",
        "you can reach me at [PHONE]",
        "我的邮箱是 [EMAIL]",
        "电话：[PHONE]",
    ],
)
def test_details_and_nothing_else_are_no_question(read: str) -> None:
    part = only_details(read, "en")
    assert part is not None and (part.decision.kind, part.trace.rule) == ("unknown", RULE)


@pytest.mark.parametrize(
    "read",
    [
        "my email is [EMAIL], where is my order",
        "is [EMAIL] your address?",
        "[ORDER]",
        "please change it to [EMAIL]",
        "我的邮箱 [EMAIL] 收不到邮件",
        "my email",
        "",
    ],
)
def test_who_says_more_is_read(read: str) -> None:
    assert only_details(read, "en") is None

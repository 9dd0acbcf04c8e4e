"""Who does not have a detail, or asks where it stands, and who asks something else."""

from __future__ import annotations

import pytest

from chatbot.dialogue.helping import needs_help


@pytest.mark.parametrize(
    "text",
    ["i dont have the number", "I don't know my order number", "sorry, I lost it", "no idea", "I have no order number",
     "i can't find the e-mail", "we did not find the confirmation email", "我没有订单号", "没有", "找不到了",
     "我不知道訂單號", "忘了"],
)  # fmt: skip
def test_who_does_not_have_it(text: str) -> None:
    assert needs_help(text) == "lacks"


@pytest.mark.parametrize(
    "text",
    ["where do i find it", "how do I find my order number?", "why do you need my e-mail address?", "what number?",
     "where is my order number?", "what for?", "在哪里找", "訂單號在哪裡看?", "为什么要我的邮箱？", "你们要邮箱干什么"],
)  # fmt: skip
def test_who_asks_about_it(text: str) -> None:
    assert needs_help(text) == "asks"


@pytest.mark.parametrize(
    "text",
    ["I don't have my parcel", "where is it?", "where do I find the manual", "why do you need so long",
     "I lost my parcel",
     "i forgot my password", "where is my order", "I don't have an account", "没收到", "我没有收到货", "我不知道怎么用",
     "你们店在哪里", "我忘记密码了", "为什么这么慢", "Kade 5, Rotterdam"],
)  # fmt: skip
def test_who_speaks_of_something_else(text: str) -> None:
    assert needs_help(text) is None

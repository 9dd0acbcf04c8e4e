"""Anger and threats with the law, by rule."""

from __future__ import annotations

import pytest

from chatbot.dialogue.upset import upset

ANGRY = """
this is ridiculous, my kettle came broken AGAIN and nobody answers the phone
I've been waiting 3 weeks!!!
WHERE IS MY ORDER!!
this is unacceptable
worst company ever
you are all scammers
I am fed up with waiting
third time it arrives broken!!
where the fuck is my order
never buying from you again
太差了，等了三周还没到
你们就是骗子
我要投诉
服務態度太差
等了两个星期还没发货！！
气死我了
垃圾公司
"""
LEGAL = """
I will sue you if I do not get my refund by Friday
my lawyer needs your company address
see you in court
I'll report you to the consumer association
I'm taking legal action
I will go to the press
you will hear from my solicitor
再不退钱我就去消协投诉你们，还要起诉
我要打12315
我找律师了
我会在网上曝光你们
再這樣我就告你們
法院见
"""
CALM = """
thank you so much!!!
hi!!
where is my order?
how do I file a complaint
my name is Sue
I am a lawyer and need an invoice
the price is ridiculously good
is this email a scam?
I got a scam email that pretends to be from you
how do I get a PDF invoice
ERR: E-4012 HEATER TIMEOUT 0x04 fw 2.1.3
it still does not work
address: 5 Court Road, Sue Miller
what is the legal warranty
CAN I PAY WITH VISA
投诉电话是多少
相机曝光补偿
我是律师，需要开发票
我告诉你们地址
便宜得离谱
还没到，请问到哪了
别生气
垃圾分类
谢谢！！
法院路12号
机器一直报警
12345
"""


@pytest.mark.parametrize(
    ("text", "mood"),
    [(text, "anger") for text in ANGRY.strip().splitlines()]
    + [(text, "legal") for text in LEGAL.strip().splitlines()]
    + [(text, None) for text in CALM.strip().splitlines()],
)
def test_the_mood_of_a_message(text: str, mood: str | None) -> None:
    assert upset(text) == mood

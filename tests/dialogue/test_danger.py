"""Danger to life, told by rule: what tells of it, and what only sounds like it."""

from __future__ import annotations

import time

import pytest

from chatbot.dialogue.danger import DANGERS, dangers
from chatbot.dialogue.danger_texts import DANGER_TEXTS, danger_text
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import InputError

TOLD = {
    "fire": """
the machine is smoking!
the crane one, smoke comes out of the back
omg the coffee maker started smoking as soon as I plugged it in
Smoke!! from my brand new Crane Duo
My kettle just caught fire
there's a fire in my kitchen because of your kettle
it smells like burning plastic
The coffee maker smells of smoke
strange burning smell when I turn it on
the plug melted
my charger exploded last night
it just sparked and the fuse blew
the battery is swollen
it's not only smoking, it's burning
咖啡机冒烟了！！
機器後面冒出黑煙
烟从机器后面冒出来了
插头都烫了
插座起火了
一插电就跳火花
磨豆机冒火花
咖啡机有一股焦糊味
電源線很燙，快要融化了
电池鼓包了
""",
    "gas": """
I smell gas in the kitchen
gas leak help
the carbon monoxide alarm went off
家里有煤气味
聞到瓦斯味
""",
    "shock": """
I got an electric shock from the kettle
the casing gives me a shock every time I touch it
i got shocked by the machine
I keep getting zapped when I touch the steam wand
my husband got electrocuted by your toaster
水壶漏电，我被电了一下
碰水龙头的时候手被电麻了
被電到了
我摸机器的时候触电了
""",
    "poison": """
my toddler drank descaler!!
is it poisonous
my 3 year old ate a descaling tablet
our baby swallowed a battery
my cat licked up the cleaning powder
descaler got in my eyes
My partner drank water with descaler in it
孩子喝了除垢剂！
小孩不小心喝到清洗剂怎么办
孩子把柠檬酸喝了
宝宝误食了干燥剂
我儿子吞了一颗纽扣电池
除垢劑弄到眼睛裡了
这个有毒吗
""",
    "injury": """
I burned my hand with the steam
she scalded herself
boiling water spilled over my son
the glass carafe shattered and cut my hand
my wife is bleeding badly
my daughter can't breathe
I have a second degree burn from the steam wand
我被蒸汽烫伤了
手被划破了一直流血
開水燙傷了孩子
老公被热水烫了，起水泡
妈妈晕过去了
""",
    "self_harm": """
i want to end my life
I just want to die
I don't want to live anymore
I can't go on, I'm going to kill myself
my son wants to kill himself
I wish I was dead
我不想活了
想自殺
活着没意思
觉得还不如死了算了
""",
}
ALL = [(kind, text) for kind, texts in TOLD.items() for text in texts.strip().splitlines()]

HARMLESS = """
steam burns the milk
burnt taste
coffee tastes burnt
my coffee smells burnt
the machine burns the beans
it burned my coffee
this is a smoking hot deal
is smoking allowed in your shop?
my husband is smoking
smoked paprika
the machine does not smoke
no smoke, just steam
do you sell smoke detectors
you guys are on fire
fire sale
fire your courier
kill the subscription
I want to end my subscription
my machine died
dead on arrival
I'm dying to know when it comes
coffee to die for
my phone is going to die
the battery died
I'd kill for an espresso
I was shocked by the price
I got a shock when I saw the bill
does it have protection against electric shock
which gas stove can I use it on
gas cartridge for soda
how do I use the descaler
I drank my coffee and it was great after descaling
can I drink the water after descaling
can I use vinegar instead of descaler?
the machine swallowed my coin
my dog ate the invoice
is the coating toxic
is it toxic free
the ink is bleeding
how do I bleed the air from the system
I'm burnt out
my parcel was cut open
cut my order in half
I choked on the price
does the warranty cover fire damage
冒蒸汽
机器冒蒸汽正常吗
气死我了，还没发货
笑死我了
累死了
水壶漏水了
怎么烧开水
烧水要多久
水烧不开
电热水壶烧不热
咖啡机做出来的咖啡有焦味
有没有烟熏味的豆子
烟灰色有货吗
机器没有冒烟
燃气灶能用吗
漏电保护开关
不会漏电吧
电话打爆了也没人接
被电话骚扰
客服态度爆炸差
插头是欧标吗
充电器坏了
手机坏了
手柄烫了正常吗
屏幕划伤了可以退吗
杯子被划伤了
怎么防止烫伤
除垢后可以喝吗
喝之前要先用除垢剂洗吗
喝起来有塑料味
涂层有毒吗
我想死你们了
电脑死机了
跳楼价吗
结束我的订阅
不想活动了
"""


@pytest.mark.parametrize(("kind", "text"), ALL)
def test_a_danger_is_told(kind: str, text: str) -> None:
    assert kind in dangers(text)


@pytest.mark.parametrize("text", HARMLESS.strip().splitlines())
def test_what_only_sounds_like_a_danger_is_none(text: str) -> None:
    assert dangers(text) == ()


def test_two_dangers_are_told_both_the_more_pressing_first() -> None:
    assert dangers("I got an electric shock and burned my hand") == ("shock", "injury")


def test_a_long_message_is_read_at_once() -> None:
    for text in (
        "the the my our it is was " * 40,
        "喝了一口我的机器里面的" * 90,
        "my my my smell a a a smell " * 40,
    ):
        began = time.perf_counter()
        dangers(text[:1000])
        assert time.perf_counter() - began < 0.5


def test_every_danger_has_a_text_in_each_language_with_the_numbers_of_no_single_country() -> None:
    for lang, texts in DANGER_TEXTS.items():
        assert set(texts) == set(DANGERS)
        assert all("112" in text for text in texts.values()), lang


def test_a_site_says_it_in_its_own_words() -> None:
    own = {"en": {"fire": "Call our hotline."}}
    assert danger_text(("fire",), "en", own).startswith("Call our hotline.")
    assert danger_text(("fire",), "zh", own).startswith(DANGER_TEXTS["zh"]["fire"])
    both = danger_text(("shock", "injury", "fire"), "en", {})
    assert DANGER_TEXTS["en"]["injury"] in both and DANGER_TEXTS["en"]["fire"] not in both


@pytest.mark.parametrize(
    "wrong",
    [
        {"danger": "yes"},
        {"danger_texts": {"en": {"flood": "x"}}},
        {"danger_texts": {"en": {"fire": "x" * 601}}},
    ],
)
def test_options_that_cannot_be_are_refused(wrong) -> None:
    with pytest.raises(InputError):
        SiteOptions(**wrong)

"""Names by place and by list: what the marked messages (test_redaction_quality.py) measure as a whole, rule by rule."""

import subprocess
import sys

import pytest

from chatbot.language.name_lists import chinese_surnames, given_names, surnames
from chatbot.language.names import find_names
from chatbot.language.pinyin import is_pinyin_name


def names(text):
    return [text[name.start : name.end] for name in find_names(text)]


def test_the_lists_are_read_without_importing_the_package_they_come_from():
    code = (
        "import sys; from chatbot.language.name_lists import given_names as names; "
        "names(); assert 'faker' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert {"amélie", "amelie", "kwabena"} <= given_names()
    assert {"okonkwo", "kowalczyk"} <= surnames()
    assert {"欧阳", "陳"} <= chinese_surnames()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ask for Kwabena or call Will Smith", ["Kwabena", "Will Smith"]),
        ("will you call", []),
        ("Mark it as delivered in May", []),
        ("my name is xaverine", ["xaverine"]),
        ("Please Help Me With My Order", []),
        ("the Bradley table and a Hugo Boss gift card", []),
        ("Xu Wei paid, not Hong Kong Post", ["Xu Wei"]),
        ("我同事唐晓芙也买了", ["唐晓芙"]),
        ("马上要用，方便吗", []),
        ("康师傅方便面，李总在吗", ["李总"]),
        ("signed by Hye-jin Park, near Hyde Park", ["Hye-jin Park"]),
        ("under Kaur, first name Simran", ["Kaur", "Simran"]),
        ("the name on it F. Okonjo", ["F. Okonjo"]),
        ("Dr. Martens or Dr. Bellweather", ["Bellweather"]),
        ("我闺女苗苗喜欢，我和朋友都喜欢", ["苗苗"]),
        ("毛毛妈妈您好，谢谢妈妈", ["毛毛"]),
        ("我和慧敏一起下的单，和大家一起", ["慧敏"]),
        ("麻烦问下晓东在不在，客服在吗", ["晓东"]),
        ("您好，我是客服米粒，很高兴", ["米粒"]),
        ("他叫牛群，这叫牛奶", ["牛群"]),
        ("客户阎丽反映漏水", ["阎丽"]),
        ("请段工回我电话，杜老板在", ["段工", "杜"]),
        ("找阿May，快递小哥阿强", ["阿May", "阿强"]),
        ("贺佳怡，13788250417", ["贺佳怡"]),
        ("Halvorsen is my name, what is my name", ["Halvorsen"]),
        ("address me as Alexandra", ["Alexandra"]),
        ("Chase declines the payment", []),
        ("之前是思琪在跟进，是我在跟进", ["思琪"]),
        ("申请人訾明，签收的是简宁", ["訾明", "简宁"]),
        ("司机仇师傅，公司财务柏姐，财务公章", ["仇", "柏"]),
        ("我婆婆刁桂香咨询医保，朋友玩玩", ["刁桂香"]),
        ("别给阿杰打电话，阿里的电话", ["阿杰"]),
        ("我找一下嘉欣，我找一下发票", ["嘉欣"]),
        ("此致，项楠", ["项楠"]),
    ],
)
def test_a_name_is_one_by_its_place_or_by_the_lists(text, found):
    assert names(text) == found


def test_a_surname_and_its_syllables_are_a_name_and_a_town_is_none():
    assert is_pinyin_name("zhang", "xiaoming") and is_pinyin_name("xiaoming", "zhang")
    assert not is_pinyin_name("hong", "kong")
    assert not is_pinyin_name("long", "table")


def test_a_name_before_the_last_word_of_a_text_that_goes_on_in_digits():
    """The word after the last one was asked for, and the message could not be redacted at all."""
    assert names("11 general stilwell dr marine ca 93933") == ["marine"]

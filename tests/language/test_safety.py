import pytest

from chatbot.language.safety import find_profanity, is_profane


@pytest.mark.parametrize(
    "text", ["this is bullshit", "F*ck off", "You ASSHOLE", "你妈的，骗子", "傻逼客服", "sb客服"]
)
def test_abuse_is_found(text):
    assert is_profane(text)


@pytest.mark.parametrize(
    "text",
    ["I live in Scunthorpe", "please assess it", "怎么操作？", "日期不对", "干净吗", "the damn kettle"],
)
def test_innocent_words_pass(text):
    assert find_profanity(text) == ()

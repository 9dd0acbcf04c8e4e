import re
from pathlib import Path

import pytest

from chatbot.language.safety import find_profanity

ARTICLES = Path(__file__).parents[2] / "ingest" / "demo" / "articles"


@pytest.mark.parametrize(
    "text",
    ["this is bullshit", "F*ck off", "f**k this", "what the f***", "You ASSHOLE", "you a**hole",
     "sh1t service", "$hit", "fuuuuck", "f u c k you", "s.h.i.t", "fck", "b!tches", "c*nt",
     "what a dick head", "motherfucking thing", "you idiots", "fucking hell", "ｆｕｃｋ",
     "go to hell", "kill yourself", "retarded bot", "n1gger", "what a prick"],
)  # fmt: skip
def test_abuse_is_found_as_it_is_disguised(text):
    assert find_profanity(text)


@pytest.mark.parametrize(
    "text",
    ["你妈的，骗子", "傻逼客服", "sb客服", "傻 逼", "操.你.妈", "操你媽", "幹你娘", "滾蛋",
     "草泥马", "煞笔", "卧槽", "他妈的什么东西", "去死吧", "王八蛋", "腦殘", "賤人", "cnm",
     "什么垃圾客服", "妈的", "这公司真不要脸", "狗日的", "死全家", "你們這些廢物"],
)  # fmt: skip
def test_chinese_abuse_is_found_in_both_scripts(text):
    assert find_profanity(text)


@pytest.mark.parametrize(
    "text",
    ["I live in Scunthorpe", "please assess it", "a class of its own", "the glass passed",
     "the damn kettle", "Penistone", "a cocktail shaker", "Sussex", "shiitake", "Mr Dickens",
     "Dick Wanklyn", "a bass guitar", "compass", "analysis", "order A455", "KC-204817", "a b c d",
     "U S B", "5 * 4", "****", "sb. told me", "retardant foam", "spices", "prickly pear", "raccoon", "scrap metal",
     "Matsushita", "canal", "title", "fuchsia", "8.15"],
)  # fmt: skip
def test_innocent_words_pass(text):
    assert find_profanity(text) == ()


@pytest.mark.parametrize(
    "text",
    ["怎么操作？", "日期不对", "干净吗", "日常使用", "我妈的订单到了吗", "你妈妈的生日",
     "他妈的订单在哪", "我操作不了", "体操垫", "去死皮的刷子", "废物回收", "我去。死机了",
     "几把椅子", "USB接口", "司马先生", "傻瓜式咖啡机", "不要脸盆", "混账单了", "我日常用", "操心",
     "节日的礼物", "干你们这行的", "比较", "草本茶", "逼真"],
)  # fmt: skip
def test_innocent_chinese_passes(text):
    assert find_profanity(text) == ()


def test_no_article_of_the_demo_is_abusive():
    texts = [file.read_text(encoding="utf-8") for file in sorted(ARTICLES.rglob("*.md"))]
    assert len(texts) > 50
    assert [
        found for text in texts for found in find_profanity(re.sub(r"^---.*?---", "", text, flags=re.DOTALL))
    ] == []

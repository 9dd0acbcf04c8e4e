import pytest

from chatbot.language.written_language import document_language, has_small_words, language_asked_in


def test_a_chinese_name_makes_no_chinese_document():
    text = "You can pay by card, by bank transfer or by WeChat Pay (微信支付) in every one of our shops."
    assert document_language(text) == "en"
    assert document_language("请在 Settings 中点击 Reset password 重置密码。") == "zh"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Wir liefern in drei Tagen. Der Versand ist ab 50 € kostenlos, sonst kostet er 5 €.", "de"),
        ("Vous pouvez renvoyer un article dans les trente jours.", "fr"),
        ("Puede devolver el producto en los 30 días siguientes a la entrega.", "es"),
        ("Puoi pagare con carta o con bonifico. La consegna è gratuita per gli ordini oltre 50 €.", "it"),
        ("Você pode devolver o produto em até 30 dias após a entrega. O frete não é cobrado.", "pt"),
        ("U kunt het product binnen 30 dagen terugsturen. De kosten zijn voor ons.", "nl"),
        ("配送は三日かかります", "ja"),
        ("배송은 3일 걸립니다.", "ko"),
        ("Возврат товара возможен в течение 30 дней.", "ru"),
        ("Return it en route, or as a die casting, to the shop in El Paso or Los Angeles.", "en"),
        ("Opening hours", "en"),
        ("12 – 14", "en"),
        ("ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ", "und"),
    ],
)
def test_the_language_of_a_document(text, lang):
    assert document_language(text) == lang


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Wie viel kostet der Versand?", "de"),
        ("Was kostet das Frühstück?", "de"),
        ("Gibt es WLAN?", "de"),
        ("Combien coûte la livraison ?", None),  # no passage is French
        ("配送は何日ですか", "ja"),
        ("배송은 며칠 걸려요?", None),
        ("how much is shipping to Die, France?", None),
        ("Versandkosten", None),
        ("coffee for the old man", None),
        ("price und weight", None),
        ("运费多少", None),
    ],
)
def test_the_language_of_a_question_where_it_shows(text, lang):
    assert language_asked_in(text, ("de", "ja")) == lang


def test_small_words():
    assert has_small_words("The shop", "en") and not has_small_words("Versandkosten", "en")
    assert not has_small_words("the shop", "xx")

"""How customers really type: slips, dropped punctuation, casing, an emoji, now and then traditional characters.

Only what customers write passes through here; agents' answers keep their facts to the letter. Codes, numbers,
addresses and names of products are left alone, because the conversation is about them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

EMOJI = ("🙏", "😊", "😅", "😡", "☕", "👍", "🤔", "😭", "🙈", "❤️")
_SLIPPABLE = re.compile(r"\b[a-z]{5,}\b")  # lower case only: names and codes are written with capitals
_PROTECTED = re.compile(r"[A-Z]+-\d|\d|@|\.example|Crane|Heron|Ibis")
_NEIGHBOURS = {
    "a": "s",
    "b": "v",
    "c": "x",
    "d": "s",
    "e": "r",
    "f": "g",
    "g": "h",
    "h": "j",
    "i": "o",
    "j": "k",
    "k": "l",
    "l": "k",
    "m": "n",
    "n": "m",
    "o": "p",
    "p": "o",
    "q": "w",
    "r": "t",
    "s": "a",
    "t": "r",
    "u": "i",
    "v": "b",
    "w": "e",
    "x": "c",
    "y": "t",
    "z": "x",
}
_SOUND_ALIKES = (
    *(("账", "帐"), ("再", "在"), ("订", "定"), ("已", "以"), ("哪", "那"), ("吗", "嘛"), ("了", "啦")),
    *(
        ("怎么", "咋"),
        ("什么", "啥"),
        ("没有", "木有"),
        ("做", "作"),
        ("的", "滴"),
        ("知道", "造"),
        ("这样", "酱"),
    ),
)
_TRADITIONAL = str.maketrans(
    "单发货购买请问题时间没么们个这还说话东为来对开关机过会样订实际长门钱给让谁从电认证户码换颜礼员积点维护坏现账办"
    "国际运费税须转帮谢见报银转账样产应该热温压锅炉盖错误显灯闪声鹤壶网页邮件箱务仅较听",
    "單發貨購買請問題時間沒麼們個這還說話東為來對開關機過會樣訂實際長門錢給讓誰從電認證戶碼換顏禮員積點維護壞現賬辦"
    "國際運費稅須轉幫謝見報銀轉賬樣產應該熱溫壓鍋爐蓋錯誤顯燈閃聲鶴壺網頁郵件箱務僅較聽",
)


@dataclass(frozen=True)
class TypingHabits:
    """One customer's way of typing; the same through a conversation. Shares are between 0 and 1."""

    slips: float  # share of longer words with a slip
    drops_end: float  # how often the last full stop or question mark is left out
    careless: bool = False  # no capitals, no apostrophes; Chinese without punctuation
    emoji: float = 0.0
    traditional: bool = False
    shouts: bool = False


def draw_habits(rng: Random, *, language: str) -> TypingHabits:
    """A customer: two in five type carefully, one in seven hastily, the rest in between."""
    traditional = language == "zh" and rng.random() < 0.025
    emoji = 0.25 if rng.random() < 0.12 else 0.0
    kind = rng.random()
    if kind < 0.40:
        return TypingHabits(slips=0.0, drops_end=0.1, emoji=emoji, traditional=traditional)
    if kind < 0.86:
        return TypingHabits(slips=0.015, drops_end=0.4, emoji=emoji, traditional=traditional)
    if kind < 0.985:
        return TypingHabits(slips=0.05, drops_end=0.8, careless=True, emoji=emoji, traditional=traditional)
    return TypingHabits(slips=0.0, drops_end=0.3, traditional=traditional, shouts=True)


def type_out(text: str, habits: TypingHabits, rng: Random, *, language: str) -> str:
    """``text`` as a customer with these habits types it."""
    text = _type_chinese(text, habits, rng) if language == "zh" else _type_latin(text, habits, rng)
    if rng.random() < habits.drops_end and text[-1:] in ".?!。？！":
        text = text.rstrip(".?!。？！") or text
    if rng.random() < habits.emoji:
        text = f"{text} {rng.choice(EMOJI)}" if language != "zh" else f"{text}{rng.choice(EMOJI)}"
    return text


def _type_latin(text: str, habits: TypingHabits, rng: Random) -> str:
    if habits.shouts:
        return " ".join(w if _PROTECTED.search(w) else w.upper() for w in text.split(" "))
    if habits.slips:
        words = text.split(" ")
        text = " ".join(w if _PROTECTED.search(w) else _with_slips(w, habits.slips, rng) for w in words)
    if habits.careless:
        text = " ".join(w if _PROTECTED.search(w) else w.lower() for w in text.split(" "))
        if rng.random() < 0.5:
            text = text.replace("'", "")
        if rng.random() < 0.3:
            text = text.replace(",", "")
    return text


def _with_slips(text: str, share: float, rng: Random) -> str:
    return _SLIPPABLE.sub(lambda found: _slip(found[0], rng) if rng.random() < share else found[0], text)


def _slip(word: str, rng: Random) -> str:
    """One slip inside ``word``: two letters swapped, one left out, one doubled, or a neighbouring key."""
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + _NEIGHBOURS[word[at]] + word[at + 1 :]


def _type_chinese(text: str, habits: TypingHabits, rng: Random) -> str:
    if habits.slips:
        for right, typed in _SOUND_ALIKES:
            if right in text and rng.random() < 2 * habits.slips:
                text = text.replace(right, typed, 1)
    if habits.careless:
        text = re.sub(r"[，。！、]", lambda m: rng.choice((" ", "", m[0])), text).strip()
    elif habits.shouts:
        text = re.sub(r"[。！？]?$", lambda _: rng.choice(("！！！", "？？？", "！？")), text, count=1)
    if habits.traditional:
        text = text.translate(_TRADITIONAL)
    return text

"""Promises: the words that commit a company to something, by kind, English and Chinese.

A kind counts as supported when the sources make a promise of the same kind, in whatever words. Pure functions.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chatbot.dialogue.facts import canonical

_KINDS: dict[str, tuple[str, ...]] = {
    "free of charge": (
        r"\bfree\b(?! to\b)",
        r"no (?:extra |additional )?(?:charge|cost|fee)",
        r"at no cost",
        r"without (?:any )?(?:charge|cost)",
        "免费|免运费|包邮|不收(?:取)?(?:任何)?(?:费|运费)|免除?费用|免邮",
    ),
    "guarantee": (
        r"\bguarante\w*|\bassure\b|\bpromis\w*",
        "保证|承诺|确保|包您|肯定(?:会|能)|一定(?:会|能)",
    ),
    "refund": (
        r"\brefund\w*|money back|\breimburs\w*",
        r"\b(?:money|amount|paid)\b.{0,40}\b(?:sent|paid|given) back",
        "退款|退钱|退还|返还|退回",
    ),
    "compensation": (r"\bcompensat\w*|\bdamages\b", "赔偿|补偿|赔付|理赔"),
    "discount": (
        r"\bdiscount\w*|\bvoucher\w*|\bcoupon\w*|\bpromo\w*|\bcheaper\b",
        "折扣|优惠|打折|代金券|满减|减免",
    ),
    "gift": (r"\bgifts?\b|\bbonus\b", "赠送|赠品|礼品|礼物|白送"),
    "replacement": (r"\breplac\w*|\bexchang\w*", "换货|更换|补发|换新|调换|换成"),
    "warranty": (r"\bwarrant\w*", "保修|质保|三包"),
    "at once": (
        r"\bimmediate\w*|\binstant\w*|right away|at once|straight away|\basap\b",
        "立即|立刻|马上|即时|当场|第一时间",
    ),
    "same day": (r"same[- ]day|\btoday\b|\btonight\b", "当天|今天|今日|当日"),
    "tomorrow": (r"\btomorrow\b|next[- ]day", "次日|明天|隔天|隔日"),
    "always": (r"\balways\b|\bforever\b|lifetime|\bunlimited\b", "永久|终身|永远|无限"),
    "any": (
        r"\bany (?:reason|time|product|item|order|country|store|amount)\b|\banywhere\b",
        r"\bevery (?:order|item|product)\b",
        "任何|所有|全部|不限",
    ),
    "in full": (r"\bfull(?:y)? (?:refund\w*|amount|price)|\bin full\b|\b100 ?%", "全额|百分之百"),
    "urgent": (r"\bpriorit\w*|\burgent\w*|\bescalat\w*", "优先处理|加急"),
    "done for you": (
        r"\b(?:i|we)(?:'ve| have) (?:just |already |now )?\w+(?:ed|en|nt|ut)\b",
        r"\byour (?:order|refund|request|account|parcel)\b.{0,20} has been\b",
        "(?:已经?|刚刚?)(?:为您|帮您|给您)|(?:我|我们)已",
    ),
    "someone will act": (
        r"\b(?:i|we)(?:'ll| will| shall| am going to| are going to)\b",
        r"\b(?:someone|a colleague|our team|an agent) will\b",
        "(?:我们?|客服|同事|专员|技术人员)(?:这边)?(?:会|将|来)",
    ),
    "safe": (
        r"\b(?:completely|totally|perfectly|100%) (?:safe|secure|harmless)\b",
        "绝对安全|完全无害|百分百安全",
    ),
}
_PATTERNS = {name: re.compile("|".join(patterns)) for name, patterns in _KINDS.items()}


@lru_cache(maxsize=1024)
def promises(text: str) -> tuple[str, ...]:
    """Which kinds of promise a text makes."""
    plain = canonical(text)
    return tuple(name for name, pattern in _PATTERNS.items() if pattern.search(plain))

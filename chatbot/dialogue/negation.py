"""Does one sentence say the opposite of another? Negation scopes, English and Chinese, without a parser.

A cue ("not", "no longer", 不, 无法) negates the content words near it in its clause. Two sentences about the same
thing contradict each other when what one negates is stated plainly in the other. Scopes after Morante & Daelemans
2009 are cut short here on purpose: a scope of a few words makes fewer false alarms, and coverage catches the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chatbot.dialogue.facts import canonical
from chatbot.dialogue.wording import content_words, stem

_CUES_EN = re.compile(
    r"\b(?:not|no longer|no|never|cannot|can't|won't|don't|doesn't|didn't|isn't|aren't|wasn't|weren't|couldn't|"
    r"shouldn't|wouldn't|haven't|hasn't|mustn't|without|neither|nor|none|nothing|nobody|no one|"
    r"unable|impossible|unavailable|excludes?|"
    r"excluded|excluding|except)\b"
)
_NON = re.compile(r"\bnon-", re.IGNORECASE)  # "non-refundable" is not refundable
_NOT_A_CUE = re.compile(
    r"\b(?:not only|no problem|no worries|no matter|whether or not|if not|no later than|no more than|not more than|"
    r"no less than|not exceed\w*)\b"
)
_CUES_ZH = re.compile(
    r"无法|不能|不可以?|不再|不会|不予|不需要?|不用|不必|不支持|不包括|不含|没有|尚未|未曾|除外|不|没|未|无|勿|禁止"
)
_NOT_A_CUE_ZH = re.compile(
    r"不仅|不但|不过|不管|不论|无论|不同|不少于|不超过|不低于|不足|不满|不好意思|对不起|不客气|不久|无忧|是不是|能不能|"
    r"可不可以|有没有|要不要|未来|不锈钢|无线"
)
_CLAUSE = re.compile(
    r"[,;:，；：。!?！？、()（）]|\.(?=\s|$)"
    r"|\b(?:but|because|so that|while|when|if|unless|as long as|until|after|before|once)\b"
    r"|但是?|因为|如果|只要|除非|直到"
)
_ORDER = re.compile(
    r"\b(?P<en>before|after)\b(?P<rest>(?: [a-z0-9'-]+){1,4})"
    r"|(?P<zh>[\u3400-\u9fff]{2})(?:以|之)?(?P<side>[前后])(?!往|者|续|台|悔)"
)
_OPPOSITE_PAIRS = """
    finer/coarser more/less higher/lower increase/decrease faster/slower longer/shorter earlier/later open/closed
    opens/closes first/last minimum/maximum include/exclude includes/excludes included/excluded hot/cold left/right
    add/remove lock/unlock accepted/rejected allowed/forbidden larger/smaller above/below inside/outside with/without
    required/optional mandatory/optional eligible/ineligible valid/invalid paid/unpaid used/unused
    clockwise/counter-clockwise
    调粗/调细 更粗/更细 增加/减少 提高/降低 打开/关闭 开启/关闭
    允许/拒绝 接受/拒绝 必须/可选 最多/最少 更快/更慢 更长/更短 提前/推迟 允许/禁止 以上/以下
    左边/右边 热水/冷水 收入/支出 已付款/未付款
"""
_OPPOSITES = tuple(
    (first, second) for first, _, second in (p.partition("/") for p in _OPPOSITE_PAIRS.split())
)
_ALIKE = 0.75  # share of a clause's content words in the source's clause, to be the same clause
_REACH_EN = 4  # content words after a cue
_REACH_ZH = 6  # characters after a cue
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")


@dataclass(frozen=True)
class _Scope:
    """The content words that one cue negates, nearest first."""

    words: tuple[str, ...]


def contradicts(statement: str, source: str) -> bool:
    """Whether ``statement`` negates what ``source`` states plainly, or states plainly what it negates.

    Both should be about the same thing: the caller aligns them.
    """
    statement, source = _NON.sub("not ", statement), _NON.sub("not ", source)
    return _one_way(statement, source) or _one_way(source, statement) or _other_parity(statement, source)


def _one_way(negating: str, other: str) -> bool:
    """A negation in ``negating`` whose words stand in ``other``, where nothing negates them."""
    there = content_words(other)
    negated_there = {word for scope in scopes(other) for word in scope.words}
    for scope in scopes(negating):
        shared = [word for word in scope.words if word in there]
        # The nearest word is what is negated; a scope that the other sentence does not speak of says nothing.
        if not shared or (scope.words[0] not in there and len(shared) < 2):
            continue
        if not any(word in negated_there for word in scope.words):
            return True
    return False


def _other_parity(statement: str, source: str) -> bool:
    """A clause of ``statement`` that the source has almost word for word, but with a "not" more or less."""
    theirs = [(content_words(clause), _cues(clause)) for clause in clauses(source)]
    for clause in clauses(statement):
        words = content_words(clause)
        alike = [cues for bag, cues in theirs if len(words & bag) >= _ALIKE * len(words)]
        if len(words) >= 2 and alike and all((cues - _cues(clause)) % 2 for cues in alike):
            return True
    return False


def opposite_word(statement: str, source: str) -> str:
    """A word of ``statement`` whose opposite stands in ``source`` while the word itself does not."""
    told, there = canonical(statement), canonical(source)
    for pair in _OPPOSITES:
        for word, opposite in (pair, pair[::-1]):
            if (
                _holds(told, word)
                and not _holds(there, word)
                and _holds(there, opposite)
                and not _holds(told, opposite)
            ):
                return word
    return ""


def _holds(text: str, word: str) -> bool:
    if word >= "\u3400":
        return word in text
    return re.search(rf"\b{word}\b", text) is not None


def order_swapped(statement: str, source: str) -> str:
    """A word that ``statement`` puts after ("after delivery", 签收后) what ``source`` has before, or the reverse."""
    there = _orders(source)
    for word, order in _orders(statement).items():
        if word in there and not order & there[word]:
            return word
    return ""


def _orders(sentence: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for match in _ORDER.finditer(canonical(sentence)):
        if match["en"]:
            after = (stem(word) for word in _WORD.findall(match["rest"]))
            word = next((word for word in after if word in content_words(word)), "")
            order = match["en"]
        else:
            word, order = match["zh"], {"前": "before", "后": "after"}[match["side"]]
        if word:
            found.setdefault(word, set()).add(order)
    return found


def clauses(sentence: str) -> list[str]:
    text = canonical(sentence)
    return [text[start:end] for start, end in _clauses(text)]


def _cues(clause: str) -> int:
    text = _NOT_A_CUE_ZH.sub("__", _NOT_A_CUE.sub("__", clause))
    return len(_CUES_EN.findall(text)) + len(_CUES_ZH.findall(text))


def scopes(sentence: str) -> list[_Scope]:
    """The negations of a sentence with the content words they reach, in its clause."""
    text = canonical(sentence)
    text = _NOT_A_CUE.sub(lambda match: "_" * len(match.group()), text)
    text = _NOT_A_CUE_ZH.sub(lambda match: "_" * len(match.group()), text)
    found = []
    for start, end in _clauses(text):
        clause = text[start:end]
        for cue in _CUES_EN.finditer(clause):
            after = [stem(word) for word in _WORD.findall(clause[cue.end() :])]
            before = [stem(word) for word in _WORD.findall(clause[: cue.start()])]
            words = [word for word in after if word in content_words(word)][:_REACH_EN]
            if not words:  # "Batteries are not included" has it after; "refunds: none" before
                words = [word for word in reversed(before) if word in content_words(word)][:_REACH_EN]
            if words:
                found.append(_Scope(tuple(words)))
        for cue in _CUES_ZH.finditer(clause):
            after_zh = clause[cue.end() : cue.end() + _REACH_ZH]
            before_zh = clause[max(0, cue.start() - _REACH_ZH) : cue.start()]
            words = _pairs(after_zh) or list(reversed(_pairs(before_zh)))
            if words:
                found.append(_Scope(tuple(words)))
    return found


def _clauses(text: str) -> list[tuple[int, int]]:
    edges = [0]
    for match in _CLAUSE.finditer(text):
        edges += [match.start(), match.end()]
    edges.append(len(text))
    return [(edges[i], edges[i + 1]) for i in range(0, len(edges) - 1, 2)]


def _pairs(text: str) -> list[str]:
    run = re.match(r"[\u3400-\u9fff]+", text.strip())
    if not run:
        return []
    found = run.group()
    return [pair for i in range(len(found) - 1) if (pair := found[i : i + 2]) in content_words(pair)]

"""Chinese names in Pinyin: a surname and one or two syllables, in either order (Zhang Xiaoming, Xiaoming Zhang)."""

from __future__ import annotations

import re

from chatbot.language.name_words import NOT_NAMES

_FAMILIES = """
wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin luo zheng liang xie song tang han
feng deng cao peng zeng xiao tian dong pan yuan cai jiang yu du ye cheng wei su lv lu ding ren shen yao zhong
cui tan liao fan shi jin jia xia fu fang zou xiong bai meng qin qiu hou yin xue yan duan lei long tao hao gu mao
gong shao wan qian dai mo kong xiang wen kang qiao lai ge chang ouyang zhuge sima situ wong chan cheung lau
leung ng lam kwok tsai hsu hsieh chou kuo
"""
_SURNAMES = frozenset(_FAMILIES.split())
_SYLLABLE = (
    r"(?:(?:b|p|m|f|d|t|n|l|g|k|h|j|q|x|zh|ch|sh|r|z|c|s|y|w)?"
    r"(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|ia|ie|iu|ua|uo|ue|ui|un|ve|a|o|e|i|u|v))"
)
_GIVEN = re.compile(rf"{_SYLLABLE}-?{_SYLLABLE}?")


def is_pinyin_name(first: str, second: str) -> bool:
    """Whether two lower-case words are a Chinese name; words of everyday English are no syllables."""
    return (first in _SURNAMES and _is_given(second)) or (
        second in _SURNAMES and len(first) > 4 and _is_given(first)
    )


def _is_given(word: str) -> bool:
    return (
        len(word) > 1 and word not in _WORDS and word not in NOT_NAMES and _GIVEN.fullmatch(word) is not None
    )


_ENGLISH = """
kong hai jing jiang tou mai shan dong bei nan xi he me hi ho you are can men lie die pie tie hang sang song long
pan fan ban bang gang tang dang rang sung lung ding ping sing pin tin din win sin fin kin pen den hen ten sue
due hue mile mine ran man tan van gao tao sun she a an in on to do so no go we be ai la le ma pa
"""
_WORDS = frozenset(_ENGLISH.split())

"""Behind an answer, a message that says nothing but that it did not help: "did that, still there", 我不是问这个.

By its few words it is near to whatever article has a "still" in it, and the same article again helps nobody. Whose
trouble goes on is told what the article says of that ("If it still comes back, book a repair"); else a person is
offered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from chatbot.dialogue.follow_ups import topic_before
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.saying import Part
from chatbot.dialogue.trace import Classification, Hit, Message, PartTrace
from chatbot.dialogue.weighing import ARTICLE_LABEL, Candidate
from chatbot.dialogue.wording import sentences
from chatbot.language.normalise import fold, normalise
from chatbot.neural.source_layout import read_lines

RULE = "did_not_help"
MOST = 3  # sentences of what comes next
_NOTHING = Classification(ranked=(), in_scope=0.0, tier="none")

_TIMES = r"(?:(?:once|twice|thrice|(?:\d+|two|three|four|five|several|many|a (?:few|couple(?: of)?)) times)(?: now)?)"
_TAIL = (
    r"(?: (?:already|before|now|again|too|though|at all|either|for me|yet|anyway|as well|exactly|as you said"
    r"|(?:just )?like you said|yesterday|today))*"
)
_LEAD = re.compile(
    r"(?:(?:no|nope|nah|hm+|u+gh|argh|well|ok(?:ay)?|sorry|yes|yeah|yep|and|but|so|oh|i['’]m afraid"
    r"|unfortunately|sadly"
    r"|honestly|thanks|thank you|hello|hey|please|then|again|actually|as i said|like i said)\b\s*)+"
)
_IT = r"(?:(?:it|that|this|the (?:error|problem|code|light|issue|message|fault|thing)|your (?:answer|advice|reply)) )?"
_NOT = (
    r"(?:did ?n['’]?t|does ?n['’]?t|did not|does not|has ?n['’]?t|has not|is ?n['’]?t|is not|was ?n['’]?t|was not"
    r"|wo ?n['’]?t|will not|ai ?n['’]?t|not)"
)
_STEPS = r"(?:(?:all|every one) of )?(?:the|your|these|those) (?:steps?|instructions?|advice|tips?)"
# "changed it already": alone it could tell of something else
_DONE = (
    r"(?:(?:changed|checked|adjusted|replaced|cleaned|reset|restarted|updated|looked at) (?:that|this|it|them|those)"
    r"|(?:checked|looked)(?: in)?(?: the| my)? (?:spam|junk)(?: (?:folder|mail|box))?)"
)
_TRIED = re.compile(
    r"(?:(?:(?:i|we)(?:['’]?ve| have)? )?(?:already |just |also |now |even )*(?:did|done|tried|followed|been through)"
    rf"(?: (?:all )?(?:that|this|it|so|them|those|these)(?: all)?| all of (?:that|this|it|them)| everything"
    rf"| {_STEPS})?{_TAIL}"
    rf"|(?:(?:i|we)(?:['’]?ve| have)? )?(?:{_DONE} already|already {_DONE}){_TAIL})"
)
_TRIED_OFTEN = re.compile(rf"{_TRIED.pattern} {_TIMES}{_TAIL}")
_STAYS = re.compile(
    rf"(?:{_IT}(?:(?:is|it['’]s|its|that['’]s) )?still (?:there|here|the same(?: \w+)?|not (?:working|fixed"
    rf"|solved|gone|ok|right"
    r"|resolved|helping|better)|no (?:change|luck|difference|better|good)|does ?n['’]?t (?:work|help)"
    r"|does not (?:work|help)"
    r"|wo ?n['’]?t work|broken|nothing|happening|happens|comes? (?:up|back)|showing(?: up)?|shows?(?: up)?"
    r"|on|dead|an issue"
    r"|an? (?:error|problem)|stuck|failing|fails)"
    rf"|{_IT}{_NOT} (?:really |even )?(?:work|help|fix|solve|clear|change|do)(?:ing|ed|s|d)?(?: (?:it|that"
    rf"|me|us|anything|much"
    r"|my (?:problem|issue)|the (?:problem|issue)))?"
    rf"|{_IT}{_NOT} (?:really )?(?:helpful|any (?:help|better|use)|gone|go(?:ne)? away|make (?:a|any) difference)"
    rf"|{_IT}(?:makes |made |had |has )?no (?:change|luck|difference|effect|success|help|use|improvement)"
    r"|nothing (?:(?:has )?changed|changes|happens|happened|works|worked|helps|helped)"
    r"|(?:the )?same (?:thing|problem|error|issue|result|code|message)(?: as before)?"
    rf"|{_IT}(?:has )?(?:came|comes|come|is) back"
    rf"|{_IT}(?:keeps|kept) (?:happening|coming back|showing up|failing)"
    rf"|to no avail|without (?:any )?(?:success|luck|effect)){_TAIL}"
)
_STILL_SO = re.compile(
    r"(?:it['’]s |it is |its )?still(?: \w+){1,2}"
)  # "still dry": beside something that was tried
_ASKED = (
    r"i (?:asked|ask|meant|mean|wanted|want|need(?:ed)?|was asking|am asking|was looking|had in mind)"
    r"(?: (?:to know|for|about|to ask|to hear))?"
)
_MISSED = re.compile(
    rf"(?:(?:(?:that|this|it)(?:['’]?s| is| was)? )?(?:not|n['’]t) (?:really |quite |at all )*(?:what {_ASKED}"
    r"|(?:an|the|my) (?:answer|question)|(?:an )?answer(?:ing)? (?:to )?my question|what i said)"
    rf"|(?:that|this) (?:is|was)n['’]?t (?:really |quite )?what {_ASKED}"
    r"|(?:that|this|it|you)(?: still)? (?:does|did|do|have|has)(?: not|n['’]?t) (?:really |even )?answer(?:ed)?"
    r"(?: (?:me|that|it|(?:my|the) question))?"
    r"|i (?:did not|did ?n['’]?t|was not|was ?n['’]?t) ask(?:ing)? (?:for |about )?(?:that|this)"
    r"|(?:that|this)(?:['’]?s| is| has) (?:nothing to do with (?:it|that|my question|what i asked)"
    r"|irrelevant|not relevant|useless"
    r"|beside the point|no answer|the wrong (?:answer|topic|thing))"
    r"|(?:the )?wrong (?:answer|topic)|you (?:misunderstood|(?:do|did)(?: not|n['’]?t) (?:get"
    r"|understand))(?: me| it| my question)?"
    rf"|{_ASKED} something else){_TAIL}"
)
_CLAUSE = re.compile(r"[,.;:!?…~()\n]+|\s[-–—]+\s|\b(?:and|but)\b")

# As they are written in these few phrases; what is compared is written simply.
_SIMPLE = str.maketrans(
    "試過還沒問這個樣幫說對錯題決來麼現壞報燈顯剛們後點應請變聽弄亂牛頭馬會時給結經幾",
    "试过还没问这个样帮说对错题决来么现坏报灯显刚们后点应请变听弄乱牛头马会时给结经几",
)
_APART_ZH = re.compile(r"[^\w]+")
_FILLER_ZH = (
    r"(?:唉|哎|嗯|额|呃|啊|呀|啦|哦|喂|可是|但是?|不过|然后|结果|已经|抱歉|不好意思"
    r"|谢谢|那|可|真的|好像|我|亲|了|呢|吧|的)"
)
_TRIED_ZH = (
    r"(?:我?(?:都|也|已经|刚刚?|全部?|早就)*(?:(?:按照?|照着?)(?:你|您|你们|步骤|说明|上面|这个|要求)?(?:们?说?的?)?(?:步骤|方法|办法)?"
    r"(?:做|弄|试|操作|来|搞)?|试|弄|做|搞|操作)(?:一?遍)?(?:过|完|了|好)+(?:好?几|[一二两三四五\d]+)?(?:次|遍|回)?了?(?:之?后)?"
    r"|我?(?:都|也|早就|全部?)*(?:已经|早就)(?:调整?|检查|查|看|换|清洗|洗|重启|重置|设置)(?:一?遍)?过了?"
    r"|我?(?:都|也|已经|早就)*(?:垃圾(?:邮件|信|邮)(?:箱|夹)?里?)(?:我|都|也|已经|早就)*(?:看|找|查|翻)(?:了|过)+)"
)
_STAYS_ZH = (
    r"(?:问题|故障|错误|它|这个?)?(?:(?:都|也|根本|完全|并|还|还是|仍然?|依然|依旧|一直|照样)*(?:没有?(?:什么)?(?:用|效果?|好|好转|解决|变化?|反应|帮助)"
    r"|不(?:管用|好使|起作用|好用|见好|解决问题)|解决不了(?:问题)?|帮不[了到上](?:我|忙)?|没帮[到上](?:我|忙)?)"
    r"|(?:都|也|还|还是|仍然?|依然|依旧|一直|照样)(?:不行|一样|老样子|这样|那样|出现|有问题|报错|亮着?|坏的|在|显示|弄不好|不能用|失败)"
    r"|一点用都?没有|没啥用|老样子|又出现)"
)
_MISSED_ZH = (
    r"(?:我?(?:不是要?想?(?:在)?(?:问|说|指)的?(?:这个|那个|这些|这|那)(?:问题|意思)?|想?(?:要)?(?:问|说)的(?:不是|并不是|又不是)(?:这个|那个|这些|这|那)"
    r"|没有?问(?:你|您)?(?:这个|那个|这些)|又?没(?:有)?问这)|(?:这|那)?(?:个)?不是我?(?:想|要)*(?:问|说|知道)的(?:问题|意思)?|不是(?:这|那)个(?:意思|问题)"
    r"|答非所问|文不对题|牛头不对马嘴|跑题|(?:你|您)?(?:们)?(?:根本|完全|还是)?没有?(?:回答|答)(?:到)?(?:我)?(?:的)?(?:问题)?"
    r"|(?:你|您)(?:理解|搞|弄|回答|听|看)错|(?:你|您)没(?:听|看|弄|搞)(?:懂|明白|清楚))"
)
_ALL_ZH = re.compile(f"(?:{_TRIED_ZH}|{_STAYS_ZH}|{_MISSED_ZH}|{_FILLER_ZH})+")
_MISSED_ONE_ZH = re.compile(_MISSED_ZH)
_CORE_ZH = re.compile(f"{_TRIED_ZH}|{_STAYS_ZH}|{_MISSED_ZH}")

_GOES_ON = re.compile(  # what an article says of a trouble that goes on
    r"(?i)^(?:if|when|should|in case|where)\b[^.!?]*?\b(?:still\b(?! (?:sealed|unopened|unused|valid|want"
    r"|wish|have))|persists?\b|comes? back\b"
    r"|(?:does|do|did)(?: not|n['’]t) (?:help|work|go away|clear|solve|fix)|(?:nothing|none of (?:this"
    r"|these|that)) (?:helps?|works?)"
    r"|(?:appears?|happens?|shows?|occurs?|fails?|leaks?|blinks?|comes?) again|(?:keeps?) \w+ing|remains?\b)"
    r"|^if not\b|^otherwise\b|^repeat\b|\bafter (?:\w+ ){1,2}(?:tries|attempts)\b"
    r"|(?:仍|依然|依旧|还是|再次)(?:然|旧)?(?:不|没|报|出现|亮|有|无法|显示|闪|漏|失败|收不|找不)"
    r"|(?:没有用|没用|无效|不起作用|没有?解决|未解决|没有好转)(?:的话?|时)?[，,]|可以重复"
)
_OF_STEPS = re.compile(r"\d")


def did_not_help(text: str) -> Literal["stays", "missed"] | None:
    """``stays``: what was told was done, or the trouble goes on; ``missed``: something else was asked. None where the
    message says, or asks, anything else."""
    folded = fold(text).translate(_SIMPLE)
    if re.search(r"[\u3400-\u9fff]", folded):
        said = _APART_ZH.sub("", folded)
        if not _ALL_ZH.fullmatch(said) or not _CORE_ZH.search(said):
            return None
        return "missed" if _MISSED_ONE_ZH.search(said) else "stays"
    return _in_english(folded)


def _in_english(folded: str) -> Literal["stays", "missed"] | None:
    tried = stays = missed = often = False
    clauses = [clause.strip() for clause in _CLAUSE.split(folded)]
    for whole in clauses:
        led = None if _STAYS.fullmatch(whole) else _LEAD.match(f"{whole} ")  # "no change" is led by nothing
        clause = whole[led.end() :].strip() if led else whole
        if not clause:
            continue
        first, still, rest = clause.partition(" still ")
        if still and (_TRIED.fullmatch(first) or _TRIED_OFTEN.fullmatch(first)):  # "did that once still dry"
            tried, clause = True, f"still {rest}"
        if _MISSED.fullmatch(clause):
            missed = True
        elif _STAYS.fullmatch(clause) or (tried and "?" not in folded and _STILL_SO.fullmatch(clause)):
            stays = True
        elif _TRIED_OFTEN.fullmatch(clause):
            often = tried = True
        elif _TRIED.fullmatch(clause):
            tried = True
        else:
            return None
    if missed:
        return "missed"
    # "tried it four times now" tells something new, that an article may speak of
    return "stays" if stays or (tried and not often) else None


def unhelped(text: str, before: Sequence[Message], lookup: Lookup, lang: str) -> Part | None:
    """What is said to who was not helped by the last answer; None where the message says something else, or nothing
    was answered.

    text, before: redacted.
    """
    kind = did_not_help(text)
    topic = topic_before(before) if kind is not None else None
    if topic is None:
        return None
    known = lookup.intents([topic], lang).get(topic)
    slug = known.article_slug if known is not None else topic.removeprefix(ARTICLE_LABEL)
    hits = lookup.passages(slug, lang) if slug and kind == "stays" else []
    told = {fold(message.text) for message in before if message.role == "bot"}
    for hit in hits:
        further = _further(hit, lang)
        if further and fold(further) not in told:
            title = known.title if known is not None else hit.title
            own = Candidate(1.0, title, known.name if known is not None else None, slug, hit=hit)
            if own.intent is not None and own.intent.startswith(ARTICLE_LABEL):
                own = replace(own, intent=None)
            reason = "the answer did not help: what the article says of a trouble that goes on"
            return _part(text, lang, Decision("passage", RULE, reason, 1.0, own, told=further), hits)
    reason = "the answer did not help: a person is offered instead of the same again"
    return _part(text, lang, Decision("unknown", RULE, reason, 0.0), hits)


def _further(hit: Hit, lang: str) -> str:
    """The sentences of a passage about a trouble that goes on; empty: none. A step of a list is not torn from it."""
    found = [
        part
        for line in read_lines(hit.text)
        if not line.heading and not _OF_STEPS.match(line.mark)
        for part in sentences(line.text)
        if _GOES_ON.search(normalise(part))
    ]
    return ("" if lang == "zh" else " ").join(found[-MOST:])


def _part(text: str, lang: str, decision: Decision, hits: Sequence[Hit]) -> Part:
    trace = PartTrace(text, lang, _NOTHING, tuple(hits), None, decision.kind, decision.rule, decision.reason)
    return Part(decision, trace)

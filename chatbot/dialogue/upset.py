"""Whether a customer is angry, or threatens with the law, by rule: it is answered with regret, and a person is offered.

One strong word is enough (*unacceptable*, 太差了); what is weak alone (*!!*, capitals, "three weeks", 还没) needs a
second sign. What only asks ("how do I complain?", 曝光补偿, ridiculously good) is none.
"""

from __future__ import annotations

import re
from typing import Literal

from chatbot.language.normalise import normalise
from chatbot.language.safety import find_profanity
from chatbot.language.simplified import simplified

Upset = Literal["anger", "legal"]

_LAWYER = r"(?:lawyers?|attorneys?|solicitors?|barristers?)"
_LEGAL = re.compile(
    r"\b(?:will|'ll|going to|gonna|can|could|may|might|want to|have to|must|shall|ready to) sue\b|\bsue (?:you"
    r"|your|the (?:company|shop|store)|them)\b|\bsuing\b"
    rf"|\b(?:my|our|get|call\w*|contact\w*|hire|involve|involving|see|consult\w*|talk(?:ed|ing)? to|spoken to"
    rf"|hear from) (?:my |our |a |an |the )?{_LAWYER}\b"
    rf"|\b{_LAWYER} (?:will|is going|says|said|needs?|wants?|letter)\b"
    r"|\b(?:take|taking|start|initiate|consider\w*|pursue|threaten\w*|prepar\w+|face) (?:\w+ )?legal (?:action"
    r"|steps|proceedings|measures)"
    r"|\b(?:take|taking|drag|bring|see) (?:you|this|it|u|your company) (?:all )?(?:in"
    r"|to) (?:the )?(?:small claims )?court\b|\bsmall claims\b|\bgo(?:ing)? to court\b"
    r"|\b(?:go(?:ing)? to|contact\w*|complain\w* to|report\w* (?:you |this |it )?(?:to|with|at)|fil(?:e"
    r"|ing) (?:a )?(?:complaint|report) (?:with|at|to)|inform\w*|turn to|writ(?:e|ing) to|call\w*)"
    r" (?:\w+ ){0,2}(?:consumer \w+|trading standards|ombudsman|better business bureau|bbb|authorit(?:y|ies)"
    r"|police|media|press|newspapers?|regulators?)\b"
    r"|\breport (?:you|your company)\b|\bexpose (?:you|your)\b"
)
_LEGAL_ZH = re.compile(
    r"消协|消保委|消费者(?:协会|委员会|权益保护委员会)|(?<!\d)12315(?!\d)|(?:打|拨"
    r"|投诉)[^,。!?]{0,3}(?<!\d)12345(?!\d)|黑猫投诉|(?:市场?监督?管?理?局?|市监局|工商局?)[^,。!?]{0,3}(?:投诉"
    r"|举报|告)"
    r"|(?:向|去|到|找)(?:市监|市场监管|工商)|起诉|(?:去|上|到|告到|告上)法院|法院见|法庭见|打官司|诉讼|律师(?:函"
    r"|会|来|联系|找)|(?:找|请|让|联系|咨询|问)(?:了|过)?(?:我的?)?律师"
    r"|(?<!广)(?<!报)(?<!转)(?<!劝)告(?:你们(?!家的)|死你|上法)|举报(?:你|贵|这)|(?:要|会|去|就|给|等着|网上"
    r"|媒体)(?:你们)?(?:网上|媒体)?曝光(?!补偿|时间|度|不足|过度)|曝光你|(?:找|联系|让)(?:媒体|记者|电视台)(?:曝"
    r"|报|来)"
    r"|我(?:要|就|会|马上|直接|只能|现在)+报警|(?:要|会|去)维权|法律(?:手段|途径|武器|程序)"
)
_STRONG = re.compile(
    r"\bridiculous\b|\bunacceptable\b|\boutrageous\b|\bdisgrace(?:ful)?\b|\bappalling\b|\bdisgusting (?:service"
    r"|behaviou?r|company|treatment|attitude)"
    r"|\bworst (?:\w+ )?(?:company|service|shop|store|support|experience|ever|purchase|seller|customer)"
    r"|\b(?:terrible|horrible|awful|horrendous|pathetic|lousy|useless|shitty|dreadful"
    r"|crap) (?:customer )?(?:service|support|company|experience|shop|bot|people|seller|communication)"
    r"|\b(?:you(?:'re| are)|your \w+ is|this is|such|total|complete|bunch of|absolute) (?:all |just |nothing but "
    r"|a |an |total |complete |absolute )*(?:scam\w*|fraud\w*|rip-?off|thieves|crooks|liars?|incompetent|useless"
    r"|pathetic|joke|shameful)\b(?! *e-?mail| call| message|\?)"
    r"|\b(?:sick and tired|sick|tired) of (?:this|waiting|your|you|being)|\bfed up\b|\bhad (?:it"
    r"|enough)\b(?! (?:coffee|of a))|\b(?:furious|livid|pissed off|enraged|infuriating)\b|\bi(?:'m| am) (?:so "
    r"|very |really |extremely )?(?:angry|mad at)\b|\bwhat a joke\b"
    r"|\bhow dare you\b|\bshame on you\b|\bnever (?:ever )?(?:again )?(?:buy(?:ing)?|order(?:ing)?"
    r"|shop(?:ping)?) (?:\w+ )?(?:from|with|at|here|again)|\bwaste of (?:my )?(?:time|money)\b"
)
_STRONG_ZH = re.compile(
    r"太差(?:劲|了)|差劲|垃圾(?!桶|袋|分|邮|箱|短|处|盘|信|回|筐|食)|骗子|(?<!诈)(?<!被)骗人|坑人|坑爹|黑店|黑心"
    r"|奸商|无耻|太恶心|气死|气炸|太过分|过分了|忍无可忍|受够了|(?<!得)离谱|岂有此理|什么破|什么烂|破公司|烂公司"
    r"|太烂了"
    r"|投诉(?!渠道|流程|电话|建议|入口|邮箱|方式|处理|怎么|在哪)|欺骗消费|忽悠|耍我|糊弄|敷衍|再也不(?:会)?(?:在"
    r"|来|买)|(?<!不是)最差|服务态度?[^,。!?]{0,3}(?:差|恶劣|烂|不好)|态度(?:太)?(?:恶劣|差)"
    r"|(?<!别)(?<!不)(?<!不要)生气|愤怒|火大|太失望|非常不满|很不满"
)
_WEAK = (
    re.compile(r"[!！]{2,}|\?!|!\?|!.*!.*!|\?{3,}"),
    re.compile(
        r"\b(?:nobody|no one|no-one) (?:ever )?(?:answers?|responds?|replies|helps?|cares?|picks? up|calls?)\b"
        r"|\b(?:still|again) (?:not|no|broken|waiting|nothing|hasn'?t|haven'?t|the same|wrong)\b"
        r"|\b(?:broken|wrong|late|damaged|failed|cancelled) again\b|\b(?:third|3rd|fourth|4th|fifth|5th|tenth"
        r"|hundredth|last) time\b|\bhow many times\b|\bwaiting (?:for )?(?:\w+ )?(?:\w+ )?(?:days|weeks|months"
        r"|hours)\b"
        r"|\bhow (?:much )?longer\b|\bwhere (?:the hell|on earth)\b|\bwhat the hell\b|\bdisappoint(?:ed|ing)\b"
        r"|\bfrustrat(?:ed|ing)\b|\bi (?:demand|want my money)\b|\bwhere is my\b"
        r"|等了[^,。!?]{0,5}(?:天|周|星期|月|小时|久)|又(?:坏|错|没|不|漏|是)|还没|还不|一直(?:没|不)|没人(?:接"
        r"|回|理|管)|第[二三四五六七八九十]次|多少次|几次了|催了|到底|退钱|失望|不理人|怎么还"
    ),
)
_CAPITALS = re.compile(r"\b[A-Z]{4,}\b|\b(?:AGAIN|NOW|NO|NOT|WHY|WHEN|STILL|EVER)\b")
_ACRONYMS = re.compile(
    r"^(?:PDF|IBAN|ISBN|HTTP|HTTPS|HTML|JSON|GDPR|VISA|AMEX|SEPA|IDEAL|ERR|HEATER|TIMEOUT|ERROR|CARD|EMAIL|PHONE"
    r"|ORDER|NAME|ADDRESS)$"
)
_MILD = frozenset({"stupid", "idiot", "moron", "imbecile", "sb", "crap"})
_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever) (?:a |that |so |really |at all )*$|(?:不|没有?|别|不是|不要|不算)$"
)


def upset(text: str) -> Upset | None:
    """``legal`` where the message threatens with law, authority or press; ``anger`` where it is angry."""
    said = simplified(text)
    if _says(_LEGAL, said) or _says(_LEGAL_ZH, said):
        return "legal"
    if _says(_STRONG, said) or _says(_STRONG_ZH, said) or set(find_profanity(text)) - _MILD:
        return "anger"
    signs = sum(pattern.search(said) is not None for pattern in _WEAK) + _shouts(normalise(text))
    return "anger" if signs >= 2 else None


def _says(pattern: re.Pattern[str], said: str) -> bool:
    return any(_DENIED.search(said[: match.start()]) is None for match in pattern.finditer(said))


def _shouts(text: str) -> bool:
    """A word in capitals that is no abbreviation."""
    return any(not _ACRONYMS.match(match[0]) for match in _CAPITALS.finditer(text))

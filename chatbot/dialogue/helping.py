"""Who is asked for a detail and does not have it, or asks where it stands and what it is for: he is helped, not told
that he could not be understood."""

from __future__ import annotations

import re
from typing import Literal

from chatbot.dialogue.own_words import plain_words

Need = Literal["lacks", "asks"]

_DETAIL = (
    r"(?:(?:(?:the|my|that|this|an?|any|your|our|such an?|which|what|either|both)\s+)?"
    r"(?:(?:order|tracking|customer|reference|invoice|phone|telephone|confirmation|delivery|billing)[\s-]?)*"
    r"(?:numbers?|no|nr|ids?|codes?|e-?mails?(?: address(?:es)?)?|mail address"
    r"|post\s?codes?|zip(?: code)?|confirmation|address)"
    r"|it|that|this|one|any(?: of (?:them|those|that))?|them|those)"
)
_LACKS = re.compile(
    r"(?:(?:sorry|but|well|hm+|no|oh|um+|ah)[\s,.]+)*"
    r"(?:(?:i|we)\s+)?(?:really |just |also )?"
    r"(?:(?:do(?:n['’]?t| not)|did(?:n['’]?t| not)|can(?:['’]?t|not| not)|could(?:n['’]?t| not)|haven['’]?t|have not)"
    r"\s+(?:really |even )?(?:have|got|know|find|remember|recall|see)\s+"
    r"|(?:i['’]?ve )?(?:have |had |got )?(?:lost|forgot(?:ten)?|deleted|misplaced|threw away)\s+"
    rf"|(?:have |got |there(?:['’]s| is) )?no\s+){_DETAIL}"
    r"(?:\s+(?:here|any ?more|right now|with me|at hand|on me|now|though|either|sorry|anywhere|written down|by heart))*"
    r"|(?:(?:i|we)\s+)?(?:do(?:n['’]?t| not) know|dunno|have no idea|no idea|no clue)"
)
_ASKS = re.compile(
    r"(?:(?:sorry|but|and|so|well|ok(?:ay)?|hm+|oh)[\s,.]+)*(?:"
    r"(?:where|how) (?:do|can|could|would|should|will|did) (?:i|we|you) (?:find|see|look (?:up|for)|get|know|locate)\s+"
    rf"(?:out\s+)?{_DETAIL}"
    r"|where (?:would|can|could|should) (?:it|that|this) be(?: (?:written|found))?"
    r"|where (?:do|should|can) (?:i|we) look(?: for (?:it|that))?"
    r"|where(?:['’]?s| is| are| would| can i find| do i find) (?:the|my|that|this|an?)"
    r" (?:order|tracking|customer|reference)? ?(?:number|no|code|id)"
    r"|(?:what|which) (?:order |tracking )?(?:number|code)(?: (?:do you mean|is that|exactly))?"
    r"|what(?:['’]s| is) (?:an?|my|the) (?:order|tracking) number"
    rf"|(?:why|what) (?:do|would|should|must|are) (?:you|i|we)"
    r" (?:need|want|have to (?:give|tell|say)|asking|ask)"
    rf"(?: (?:me|you|for|to know))*\s+{_DETAIL}(?: for)?"
    rf"|why (?:is|are) {_DETAIL} (?:needed|necessary|required)|what (?:is|are) {_DETAIL} (?:needed )?for|what for|why"
    r")"
)
_DETAIL_ZH = (
    r"(?:(?:这个|這個|那个|那個|我的|你说的|您说的)?(?:订单|訂單|快递|快遞|物流|运单|運單|客户|手机|手機|电话|電話|电子|電子)?"
    r"(?:单号|單號|编号|編號|号码|號碼|号|號|邮箱|郵箱|邮件|郵件|邮编|郵編|邮政编码|地址|确认信|确认邮件|確認郵件)(?:码|碼)?)"
)
_LACKS_ZH = re.compile(
    r"(?:(?:不好意思|抱歉|可是|但是?|啊|呃|嗯)[,，\s]*)*我?(?:这里|這裡|手上|手边|也|都|已经|已經|现在|現在)?"
    r"(?:没有?|沒有?|找不[到着著]|找不見|看不到|不知道|不清楚|不记得|不記得|记不得|記不得|忘(?:记|記)?了?|丢了?|丟了?|弄丢了?|删了?|刪了?)"
    rf"{_DETAIL_ZH}?(?:是(?:多少|什么|什麼))?(?:了|啊|呢|呀|怎么办|怎麼辦|[,，\s])*"
)
_ASKS_ZH = re.compile(
    r"(?:(?:请问|請問|那|可是|但是?)[,，\s]*)*(?:"
    rf"(?:{_DETAIL_ZH})?(?:要|应该|應該)?(?:在|去|从|從|到)?(?:哪里|哪儿|哪裡|哪兒|哪)(?:能|可以)?(?:找|看|查)(?:到|得到)?(?:{_DETAIL_ZH})?"
    rf"|{_DETAIL_ZH}(?:在哪里?|在哪儿|在哪裡|是什么|是什麼|是哪个|是哪個)|(?:什么|什麼)是{_DETAIL_ZH}|(?:哪个|哪個|什么|什麼){_DETAIL_ZH}"
    rf"|(?:怎么|怎麼|如何|怎样)(?:找|看|查)(?:到|得到)?{_DETAIL_ZH}"
    rf"|(?:为什么|為什麼|为啥|為啥|干嘛|幹嘛)(?:要|需要|得)?(?:我?(?:提供|填|给|給|说|說|知道))?(?:我的?)?{_DETAIL_ZH}?"
    rf"|(?:你们?|你們|您)?(?:要|拿|需要)(?:我的?)?{_DETAIL_ZH}(?:来|來|是)?(?:干什么|幹什麼|做什么|做什麼|干嘛|幹嘛|干吗|有什么用|有什麼用)"
    r")(?:啊|呢|呀|了)?"
)


def needs_help(text: str) -> Need | None:
    """Whether the message, and all of it, says that the customer does not have what he was asked for (``lacks``), or
    asks where it stands or what it is for (``asks``)."""
    plain = plain_words(text)
    if _LACKS.fullmatch(plain) or _LACKS_ZH.fullmatch(plain):
        return "lacks"
    return "asks" if _ASKS.fullmatch(plain) or _ASKS_ZH.fullmatch(plain) else None

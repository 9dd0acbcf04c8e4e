"""Whether another person's data are asked for, by rule: their address, number, orders, or whether they are a customer.

The bot has nobody's data to give; said clearly, nobody asks twice. What is the customer's own ("my address on the
order"), the company's ("the address for returns"), or told instead of asked ("send it to my wife's address") is none.
"""

from __future__ import annotations

import re

from chatbot.language.simplified import simplified

_DATA = (
    r"(?:(?:delivery|shipping|billing|home|e-?mail|mail|street|contact|phone|telephone|mobile|personal|payment"
    r"|bank|card|account|order|full) )?"
    r"(?:address(?:es)?|e-?mails?|phone|numbers?|name|names|details|data|information|info|orders?|purchases?"
    r"|order history|password|account|birthday)"
)
_OTHER = (
    r"(?:(?:the|that|this) (?:other )?(?:customer|buyer|client|purchaser|recipient|account holder)"
    r"|(?:an(?:other)?|some(?:one)? ?(?:else)?|other|different) (?:customer|buyer|client|user|person|people)s?"
    r"|(?:your |all |the )?other (?:customers|clients|users|buyers)"
    r"|(?:your|all your|all|the) (?:customers|clients)|someone else|somebody else|the person (?:who|that|with)"
    r"|(?:the )?(?:previous|last|next) (?:customer|buyer|client|user|person)"
    r"|whoever (?:placed|ordered|bought)|my (?:ex|neighbou?r))"
)
_ASKS = (
    r"(?:what(?:'s| is| are| was)|whats|give me|tell me|show me|send me|can i (?:have|get|see|know)"
    r"|could i (?:have|get|see|know)|may i (?:have|know)"
    r"|i (?:need|want|would like)(?: to (?:know|see|have|get))?|do you (?:have|know)|look up|find(?: out)?|share"
    r"|read me|list|export|check|print)"
)
_RELATIVE = (
    r"(?:her|his|their|(?:my|the) (?:wife|husband|ex|ex-?wife|ex-?husband|ex-?boyfriend|ex-?girlfriend|girlfriend"
    r"|boyfriend|partner|neighbou?r|boss|colleague|friend|sister|brother|mother|father|mum|mom|dad|son"
    r"|daughter)'s)"
)
_MAIL = r"(?:\S+@\S+|\[(?:email|phone|name)(?:_\d+)?\])"
_ASKED = re.compile(
    rf"\b{_ASKS} (?:me )?(?:the |a |all |all the |some )?{_DATA} (?:of|for|from|belonging to|about|on) {_OTHER}\b"
    rf"|\b{_ASKS} (?:me )?(?:the |that |this |an? |some |all )?(?:{_OTHER}(?:'s|s'|')|other customers'?) {_DATA}\b"
    rf"|\b(?:what(?:'s| is| are)|whats|give me|tell me|send me|show me|look up|can i (?:have|get)|may i have"
    rf"|find) {_RELATIVE} (?!order (?:status)?\b)(?:new |current |old )?{_DATA}\b"
    rf"|\b(?:does|did|has|is|was) {_MAIL} (?:\w+ ){{0,2}}(?:have|has|had|an?|your|registered|order\w*|bought|buy"
    rf"|a customer)\b"
    rf"|\b{_ASKS} (?:me )?(?:the )?{_DATA} (?:of|for|belonging to|registered (?:to|with|under)) {_MAIL}(?! order)"
    rf"|\b{_ASKS} (?:me )?(?:the |a )?{_DATA} (?:of|for|from) (?:the |your )?(?:customer|buyer|client)"
    r" (?:(?:number|no\.?|with|of|for|behind|id|order) )*(?:\[order(?:_\d+)?\]|[a-z]{2}-?\d{4,}|\d{3,})"
    rf"|\bwho (?:is the (?:customer|buyer|person|owner)|placed|made|ordered|bought|paid for"
    rf"|owns) (?:\w+ ){{0,4}}(?:order|account|\[order(?:_\d+)?\]|[a-z]{{2}}-?\d{{4,}})"
    rf"|\bwhere (?:does|do) (?:{_OTHER}|(?:s?he|they)|{_MAIL}) live\b"
    r"|\bwhat (?:did|has|have) (?:she|he|they|(?:my|the) (?:wife|husband|ex|neighbou?r|friend|other customer)"
    r"|someone else|another customer) (?:buy|bought|order|ordered|purchase[d]?|pay|paid)\b"
    r"|\bwhat (?:did|has|have|was) the (?:previous|last|other) (?:customer|client|user|person|visitor)s?\b"
    r"|\bwhat (?:she|he|they) (?:bought|ordered|purchased|paid)\b(?! (?:is|was|does|did|came|broke|has))"
)
_ZH_OTHER = (
    r"(?:(?:别|其他|上一?[个位]|前一?[个位]|另一?个?|那个?|这个?|该|某个?)的?(?:客户|顾客|买家|用户|人|会员|收货人|下单人|订购人)|(?:他人"
    r"|人家|对方|其他人|别人)|(?:我)?(?:老婆|老公|前妻|前夫|前女友|前男友|邻居|同事|朋友|老板|女朋友|男朋友)"
    r"|[他她](?:们)?)"
)
_ZH_DATA = (
    r"(?:(?:收货|家庭|联系|邮寄|邮箱|手机|电话|个人|账户|账号|订单|购买|付款|银行卡)*(?:地址|电话|手机号?|号码"
    r"|邮箱|姓名|名字|信息|资料|订单|记录|账号|联系方式|住址|密码|卡号))"
)
_ASKED_ZH = re.compile(
    rf"(?:下|订|买)[^,。!?]{{0,14}}(?:订单)?的(?:那个?|这个?|该)?(?:客户|顾客|买家|人|用户)的?{_ZH_DATA}"
    rf"|(?:订单|\[order(?:_\d+)?\]|[a-z]{{2}}-?\d{{4,}})[^,。!?]{{0,4}}(?:的)?(?:那个?|这个?|该)?(?:客户|顾客"
    rf"|买家|下单人|收货人|用户|主人)的?{_ZH_DATA}?(?:是(?:什么|多少|哪里|谁)|在哪|发我|给我|告诉我|[?]|$)"
    rf"|{_ZH_OTHER}(?:的)?{_ZH_DATA}(?:是(?:什么|多少|哪里|哪儿|谁)|在哪|有(?:哪些|吗|没有)|发我|发给我|给我"
    rf"|告诉我|能(?:不能)?告诉|可以告诉|[?])"
    rf"|(?:告诉我|给我|发我|发给我|查(?:一?下|询)?|看(?:一?下)?|查查|想知道|我要"
    rf"|提供)(?:一?下)?{_ZH_OTHER}的?{_ZH_DATA}(?!还?没|怎么)"
    r"|(?:他|她|别人|其他(?:客户|人|顾客)|我(?:老婆|老公|前妻|前夫|邻居|朋友))(?:都|到底|之前|昨天)?(?:买|订购?"
    r"|下单)了(?:什么|啥|哪些)"
    r"|(?:\S+@\S+|\[email(?:_\d+)?\])(?:在)?(?:你们)?(?:这(?:里|儿)|店里?)?(?:有没有|有|是不是|是)(?:注册|账户"
    r"|账号|你们的?(?:客户|会员)|下过单|订单)"
    r"|(?:上一?[个位]|前一?[个位])(?:客户|顾客|用户|人)(?:刚才?|之前)?(?:都)?(?:问|说|买|聊)了?(?:什么|啥|哪些)"
    r"|\[name(?:_\d+)?\](?:是不是|是)你们?(?:这里|家)?的?(?:客户|顾客|会员|用户)"
    r"|(?:这个?|那个?)(?:订单|单子)是谁(?:下|买|订)的"
)


def asks_for_others_data(text: str) -> bool:
    """Whether the message asks the bot for data of somebody else; ``text`` as written, or redacted."""
    said = simplified(text)
    return _ASKED.search(said) is not None or _ASKED_ZH.search(said) is not None

"""Claims about this customer's own matter: "your refund is on its way", "I have cancelled your order", 已为您退款.

An article tells how things go; only a look-up, or an action that was carried out, tells how they stand. What is said of
a case ("once your parcel has been shipped, …") claims nothing, nor does a source's sentence that stands as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from chatbot.dialogue.facts import canonical

_STATES_EN = (  # each line: ways to say that one thing has happened
    r"on (?:its|the|their) way|under ?way|in transit|out for delivery|shipped|dispatched|posted"
    r"|sent(?: out| off| to you)?",
    r"delivered|arrived",
    r"refunded|reimbursed|credited|paid(?: back| out)?",
    r"cancel(?:l)?ed|stopped",
    r"changed|updated|corrected|amended",
    r"approved|accepted|confirmed|granted",
    r"rejected|declined|refused|denied",
    r"received|registered|logged|recorded|noted",
    r"(?:being )?processed|completed?|handled|resolved|settled|finished",
    r"booked|reserved|arranged|scheduled|ordered",
    r"repaired|fixed|replaced|exchanged",
    r"issued|created|opened|activated|extended|renewed|deleted|closed|reset|forwarded|escalated|passed on",
)
_STATES_ZH = (
    "发货|发出|寄出|寄回|出库|派送|派件|配送|运输|送出|在途|在路上",
    "送达|到货|签收|妥投|到达",
    "退款|退回|退还|到账|打款|赔付|原路返还",
    "取消|撤销|终止",
    "修改|更改|变更|更新|更正",
    "批准|通过|同意|确认|审核",
    "拒绝|驳回",
    "收到|登记|记录|提交|受理",
    "处理|办理|解决|完成",
    "预约|安排|预订",
    "维修|修好|更换|换货|补发",
    "开具|创建|开通|激活|延长|续期|删除|注销|关闭|重置|转交|反馈|上报",
)
_EN = "|".join(f"(?:{line})" for line in _STATES_EN)
_ZH = "|".join(_STATES_ZH)
_OWN = (
    r"your (?:[a-z-]+ ){0,2}?(?:orders?|parcels?|packages?|refund|return|replacement|exchange|payment|money|invoice"
    r"|request|account|subscription|booking|appointment|address|complaint|delivery|shipment|items?|repair|claim|voucher)"
    r"(?: [a-z]{0,6}[\d-][a-z\d-]*)?"
)
_THINGS_ZH = "订单|包裹|快递|退款|退货|货款|款项|申请|请求|账户|账号|地址|发票|商品|预约|订阅|投诉|维修|换货"
_OWN_ZH = rf"[您你]的?[^，。；！？,;]{{0,8}}?(?:{_THINGS_ZH})"
_CLAIM = re.compile(
    rf"\b{_OWN} (?:is|are|was|were|has|have)(?: (?:now|already|just|been|being|currently)){{0,3}} (?P<state>{_EN})\b"
    rf"|\b(?:i|we)(?:'ve| have)?(?: (?:just|already|now|also))? (?P<done>{_EN})\b"
    rf"|\b(?:i am|i'm|we are|we're)(?: now| currently| just)? (?P<doing>\w+ing) (?:your|this for you|it for you)\b"
    rf"|(?:{_OWN_ZH}|订单|包裹|退款|款项)[^，。；！？,;]{{0,6}}?(?:已经?|正在|刚刚?)[^，。；！？,;]{{0,6}}?(?P<zh>{_ZH})"
    rf"|(?:已经?|正在|刚刚?)(?:成功)?(?:为|帮|给|替)[您你][^，。；！？,;]{{0,6}}?(?P<zh2>{_ZH})"
    rf"|(?:我们?|客服|这边)(?:这边)?(?:已经?|正在|刚刚?)[^，。；！？,;]{{0,6}}?(?P<zh3>{_ZH})"
)
_CASE = re.compile(
    r"\b(?:if|when|once|whenever|until|till|after|before|unless|whether|while|as soon as|in case|how|where|why|that"
    r"|what|which|who|because|since|says|shows|not|never|status|e-?mails?)\b"
    r"|如果|若|当|一旦|假如|要是|是否|只要|除非|显示|状态|提示|未|没有?|不|会"
)
_CASE_AFTER = re.compile(
    r"[^，。；！？,;]{0,8}(?:后|时|期间|的话|前)|的(?=\w)"
)  # Chinese says it behind: 已发货后
_CLAUSE = re.compile(r"[,;:，；：。!！?？()（）\n]|\.(?=\s|$)| – | - ")


@lru_cache(maxsize=1024)
def claims(text: str) -> tuple[str, ...]:
    """What the text claims of the customer's own matter, each in its words."""
    return tuple(match.group() for match in _claims(canonical(text)))


def _claims(plain: str) -> list[re.Match[str]]:
    found = []
    for match in _CLAIM.finditer(plain):
        clause = _CLAUSE.split(plain[: match.start()])[-1]
        behind = plain[match.end() :]
        case = _CASE.search(clause + match.group()) or _CASE_AFTER.match(behind)
        if not case and not re.match(r"[^.。!！]*[?？]", behind):
            found.append(match)
    return found


def unsupported_claim(statement: str, known: Sequence[str], lookups: Sequence[str]) -> str:
    """A claim that no look-up tells, or nothing. ``known``: the sources' sentences, one of which may say the same."""
    plain = canonical(statement)
    found = _claims(plain)
    if not found or any(_bare(statement) == _bare(sentence) for sentence in known):
        return ""
    told = canonical("\n".join(lookups))
    for match in found:
        state = next((text for text in match.groupdict().values() if text), "")
        ways = [line for line in (*_STATES_EN, *_STATES_ZH) if re.fullmatch(line, state)]
        if not re.search("|".join(ways) or re.escape(state.removesuffix("ing")), told):
            return match.group()
    return ""


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, canonical(text)))

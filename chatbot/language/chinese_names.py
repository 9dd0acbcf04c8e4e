"""People's names in Chinese characters, simplified and traditional: a surname and one or two characters, by where they
stand. Nearly every surname is also a word, so outside the places that leave no doubt ("我叫…", "收件人…", before 先生)
the given name must consist of characters that names are made of, and the whole be no word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from chatbot.language.chinese_words import (
    FUNCTION_CHARACTERS,
    GIVEN_CHARACTERS,
    NOT_CALLED,
    NOT_CHINESE_NAMES,
)
from chatbot.language.name_lists import chinese_surnames
from chatbot.language.name_words import RARER_SURNAMES, RAREST_SURNAMES, SURNAMES, TRADITIONAL_SURNAMES

_COMPOUND = (
    "欧阳|歐陽|司马|司馬|诸葛|諸葛|上官|司徒|皇甫|慕容|尉迟|东方|夏侯|令狐|公孙|长孙|宇文|端木"
    "|南宫|轩辕|呼延|范姜|張簡"
)
_FAMILY = rf"(?:{_COMPOUND}|[{SURNAMES}{TRADITIONAL_SURNAMES}])"
_SEEN_FAMILY = (
    rf"(?:{_COMPOUND}|[{SURNAMES}{TRADITIONAL_SURNAMES}于傅柯梅盛童甘伍祝左焦祁游舒鲍尤毕关詹霍屈瞿"
    rf"符裴涂季窦蒲费卞岑褚滕]|安(?![全装排心静])|文(?![件字章])|常(?![用见])|齐(?![全]))"
)
_PLAIN_FAMILY = "".join(
    ch
    for ch in SURNAMES + TRADITIONAL_SURNAMES
    if ch not in "高白金温溫江钱錢汤湯姜关關石方黄黃龙龍单常文安马馬万萬夏雷贺华施颜康成明任严毛孔向"
)
_RARE = "".join(
    sorted(name for name in chinese_surnames() if len(name) == 1 and name not in "位和都那来但由初信修安计门")
)
_ANY_FAMILY = rf"(?:{_COMPOUND}|[{SURNAMES}{TRADITIONAL_SURNAMES}{RARER_SURNAMES}{RAREST_SURNAMES}{_RARE}])"
_HAN = "[\u4e00-\u9fff]"
_GIVEN = f"[{GIVEN_CHARACTERS}]"
_OTHER = f"[^{FUNCTION_CHARACTERS}\\W\\d_A-Za-z]"  # any character that is no grammar
_STOP = (
    r"(?=[\s，。！？、,.!?;；:：)）(（/\-—0-9\[]|$|先生|女士|小姐|太太|老师|同学|师傅|电话|電話|手机|手機|地址|身份证|[A-Za-z]"
    r"|我|想|的|是|在|要|请|請|买|買|这|這|你|您|谢谢|謝謝|收|和|跟|吧|吗|嗎|呢|哦|啊|吖|哈|也|就|已|没|沒|不|她|他|本人|签|簽|代)"
)

_SURE = re.compile(
    r"(?:我叫|我的名字(?:是|叫)|名字(?:是|叫|[:：])|姓名(?:是|[:：为])?\s*|本人(?:叫|是)?"
    r"|(?:收件|收货|寄件)(?=[是：:\s]*[\u4e00-\u9fff]{2,3}[，,\s。])[是：:\s]*|(?:收|联系|聯絡|聯繫|收货|收貨|收件|寄件|发件|付款|签收|簽收|开户|開戶|持卡|订购|訂購|预约|预订|申请|购买|下单|取货|取件|登记|委托|负责|经办)人"
    r"(?:的?(?:姓名|名字))?(?:改成|改為|改为|改|写的是|写成|写|寫|填的是|填|叫|是|为|為|还是|[:：])*\s*|署名\s*|户名(?:是|[:：])?\s*"
    r"|戶名(?:是|[:：])?\s*|抬头(?:写|是|开|[:：])*(?:个人)?[，,]?\s*|实名(?:是|[:：])|真名(?:叫|是)|署名(?:是|[:：])?)"
    rf"({_ANY_FAMILY}{_HAN}{{1,2}}?){_STOP}"
)
_DEAR = re.compile(rf"(?:亲爱的|親愛的|尊敬的)({_FAMILY}{_GIVEN}{{1,2}}){_STOP}")
_FOREIGN = re.compile(  # 我叫阿依古丽
    rf"(?:我叫|姓名[:：]|名字[是叫]|我的名字叫)(?!客服|快递|外卖|人工|师傅|滴滴|顺丰|代驾|车|一|个|辆|了)({_OTHER}{{2,5}})(?=[，。！,.!\s]|$)"
)
_CALLED = re.compile(
    rf"(?:叫|名叫|名字叫)({_FAMILY}{_GIVEN}{{1,2}})|(?:[他她]叫|名叫)({_ANY_FAMILY}{_HAN}{{1,2}})(?=[，。！,.!\s]|$)"
)
_SURNAMED = re.compile(
    rf"(?:我姓|免贵姓|免貴姓|本人姓|姓)({_ANY_FAMILY})(?=[\s，。！,.!：:]|$|的|，|我|先生|女士|小姐)"
)
_TITLED = re.compile(
    r"(?:先生|女士|小姐|太太|老师|老師|师傅|師傅|经理|經理|主任|医生|醫生|阿姨|叔叔|大爷|大哥|大姐|店长|店長|主管|总监|律师|同学|同學|教授)"
)
_ROLE_TITLED = re.compile(
    rf"(?:司机|技师|维修|安装|前台|财务|人事|班主任)({_ANY_FAMILY})(?=师傅|老师|先生|小姐|女士|经理|姐|哥)"
)
_DOER = re.compile(
    rf"(?:签收|下单|付款|收货|接电话|接待我|取货|领取)的是({_ANY_FAMILY}{_GIVEN}{{1,2}})(?=[，,。！!\s]|$)"
)
_LEAD_WORDS = (
    "是|给|給|找|帮|幫|跟|由(?!于)|让|讓|问|問|联系|聯絡|转告|通知|寄给|寄給|转给|转交|发给|交给"
    "|送给|替|把|将|被|叫|写的|写|留的|填的|归|属于|转|通过|来自|感谢|听|一下|改成|改为|换成|请"
    "|我妈|我爸|妈|爸|婆婆|公公|岳母|岳父|奶奶|爷爷|外婆|外公|老妈|老爸|姑姑|舅舅|@"
)
_RIGHT = (
    r"(?=[的帮幫签簽代下买買也吧吗嗎就收查取说說告在已联留拿给給让讓来來处處打先女小本老师同跟和今"
    r"昨明上去写寫退换換改反投催申咨预預打提要想问补補发發寄送转轉态態付收写寫留开開把向没沒还還有是也不前里先再已经订"
    r"訂退与與]|[\s，。！？,.!?、：:)）]|$)"
)
_LED = re.compile(
    rf"(?:{_LEAD_WORDS})({_SEEN_FAMILY}{_GIVEN}{{1,2}}|[{_PLAIN_FAMILY}]{_OTHER}{{1,2}}){_RIGHT}"
)
_RELATED = re.compile(
    "(?:同事|朋友|老公|老婆|妻子|丈夫|爱人|媳妇|妈妈|爸爸|母亲|父亲|儿子|女儿|女兒|兒子|哥哥|姐姐|弟弟|妹妹|室友|邻居|鄰居|闺蜜|表哥|表姐|表弟|表妹|男友|女友|男朋友|女朋友"
    "|快递员|配送员|骑手|保安|店员|导购|销售|客户经理|技术员|工程师|司机|助理|秘书|同學|同学|先生|太太|家属|孩子|宝宝|我妈|我爸|哥们|闺女|千金|小孩|我娃|娃|门卫|管家|大堂|小哥|班主任|法人|婆婆|公公|岳母|岳父|丈母娘|老丈人|奶奶|爷爷|外婆|外公|姥姥|姥爷|老妈|老爸|姑姑|舅舅|姨妈|大伯|前台|司机|用户|用戶|客户|客戶|会员|會員|顾客|买家|業主|业主|患者|旅客|乘客|学员|户主|商户|物业|专员|顾问|房东|领导|老板)"
    rf"(?:叫|是|名叫|：|:)?({_SEEN_FAMILY}(?:{_GIVEN}{{2}}|{_GIVEN}{_RIGHT}|{_OTHER}{{1,2}}{_RIGHT})"
    rf"|{_ANY_FAMILY}{_GIVEN}{{1,2}}{_RIGHT})"
)
_AGENT = re.compile(
    r"(?:我是|我叫|我这边是|我这里是|这里是|(客服(?:专员|代表|人员|經理|经理)?|专员|專員|顾问"
    r"|工号[A-Za-z0-9]*|工號\d*))[ ：:]?"
    rf"((?:小(?![妹二哥姐编组伙孩])|阿){_HAN}{{1,2}}?|(?(1){_FAMILY}{_HAN}{{1,2}}?|{_FAMILY}{_OTHER}{{1,2}}?)|(?(1){_GIVEN}{{2}}|(?!)))"
    r"(?=[\s，。！,.!、]|$|的(?!确|话)|[和跟]|为您|為您|为你|很高兴|很高興|竭诚|您好|你好|昨|今|明|刚|之前|上次|特别|很|真|在呢|哦|呢|请问|態度|态度|说|說|答应|答應|处理|给我|的态度|告诉|服务)"
)
_ALONE = re.compile(  # a part of the text that is nothing but a name, before a number, an address or the end
    rf"(?:^|[，。！？\s,.!?、；;：:])({_FAMILY}{_GIVEN}{{1,2}}|{_ANY_FAMILY}{_GIVEN}{{1,2}}(?=[，,、\s]*(?:1\d{{10}}|\+86|[（(]?0\d)))"
    r"(?=[，,。.\s~～]*$|[，,、\s]*(?:\+?\d{3}|[（(]?0\d|住|电话|電話|手机|手機|地址|收|[\u4e00-\u9fff]{2,4}(?:省|市|区|縣|县)))"
)
_FIRST = re.compile(
    rf"(?:^|[，。！？\s])({_FAMILY}{_GIVEN}{{2}})(?=[和跟与與的说說帮幫签簽代收买買订訂在也给給]|\s*[A-Za-z0-9])"
)
_CLOSED = re.compile(
    rf"(?:谢谢|謝謝|多谢|感谢|此致|敬礼|敬上|祝好|落款|署名)[！!，,。~\s]*({_SEEN_FAMILY}{_OTHER}{{1,2}}|{_ANY_FAMILY}{_GIVEN}{{1,2}})[。.\s~～]*$"
)
_THREE = re.compile(  # two typical characters after a surname, where a word begins
    rf"(?:^|(?<=[^\u4e00-\u9fff])|(?<=[的是给找叫和跟被把让由听问请于来妈爸婆友事户人员]))([{_PLAIN_FAMILY}]{_GIVEN}{{2}})(?![\u4e00-\u9fff]{{0,1}}[省市区县路街店])"
)
_BETWEEN = re.compile(
    rf"(?<=[和跟与與及、])({_FAMILY}{_GIVEN}{{1,2}})(?=[的，。！？、,.!?]|\s|$|都|也|一起|合|两)"
)
_NICKNAME = (
    "李王张刘陈杨赵吴周徐孙朱胡郭何林罗郑梁谢宋许韩邓冯曹彭曾田董潘袁蔡蒋余杜叶魏苏吕丁沈姜崔谭陆"
    "范汪廖贾薛張劉陳楊趙吳孫羅鄭謝許韓鄧馮葉魏蘇呂陸黄黃钱唐秦孟侯邱尹段闫阎陶郝顾龚邵戴严莫邢樊倪俞颜聂岳柳殷庄骆"
    "耿翟傅卢方邹史贺石金夏钟齐游詹赖尤葛甄温"
)
_OLD_AND_SMALL = re.compile(
    rf"(?:^|[，。！？\s,.!?]|客服|保安|同事|师傅|邻居|物业|门卫|房东|快递员|骑手|小哥|司机|朋友|前台|财务|楼下|楼上|隔壁|对门|给|找|是|问|让|叫|跟|的|被|听|由|哥们)((?:老|小|阿)[{_NICKNAME}]|阿(?!里|姨){_GIVEN})"
    r"(?=[，。！？\s,.!?、：:]|$|你好|您好|说|說|代|签|帮|在|答应|态度|吗|师傅|收|让|给|的电话|接|拿|取|昨|今|明|推荐|告诉|联系|聯絡|服务|来|打电话|帮忙|负责|处理)"
    rf"|(?:^|[，。！？\s,.!?]|给|找|问|跟|是|让|们|请|叫|联系|听|被|由)([{_NICKNAME}](?=老板|老闆)|[{_NICKNAME}](?:姐|哥|总|姨|叔|工|队|董))(?=[，。！？\s,.!?、：:]|$|老板|老闆|回|来|说|你好|您好|说|說|让|讓|帮|在|告诉|的|给|签|收|代)"
)
_RELATIVE = (
    "同事|朋友|闺蜜|室友|邻居|老公|老婆|爱人|媳妇|女儿|儿子|闺女|女兒|兒子|孩子|宝宝"
    "|妹妹|弟弟|姐姐|哥哥|外甥|外甥女|侄女|侄子|孙女|孙子"
)
_DOUBLED = re.compile(  # 我闺女苗苗, 谢谢依依, 毛毛妈妈: a character said twice is what one calls a child or a friend
    rf"(?:{_RELATIVE}|客服|管家|谢谢你?|谢谢您|感谢|[找叫])(({_OTHER})\2)(?:{_RIGHT}|(?=不|喜欢|特别|很|小姐姐|小哥哥))"
    rf"|(?:^|[，。！？\s,.!?])(({_OTHER})\4)(?=妈妈|爸爸|奶奶|爷爷|家长|媽媽)"
)
_GIVEN_ALONE = re.compile(  # no surname, but a place where only somebody can stand
    rf"(?:问下|问一下|问问|请问|找|叫)({_GIVEN}{{2}})(?=在不在|在吗|在嗎|在么)"
    rf"|(?:[是由])({_GIVEN}{{2}})(?=在?(?:跟进|负责|对接|接待))"
    rf"|(?:我找|找一下)({_GIVEN}{{2}})(?=[，,。！!]|$)"
    rf"|(?:我和|我跟|我与)({_GIVEN}{{2}})(?=一起|都|俩|两个|两人)"
    rf"|谢谢[你您]?({_GIVEN}{{2}})(?=小姐姐|小哥哥|老师|[，,！!。\s]*辛苦)"
    rf"|(?:我是|这里是|我叫)(?:您的)?(?:专属)?客服[：: ]?({_OTHER}{{2,3}})(?=[，,。！!\s~～]|$)"
    rf"|(?:{_RELATIVE})({_GIVEN}{{2}})(?=推荐|一起|下的单|买的|订的|帮我|也想|说的|在用|收到|签收)"
)
_HALF_LATIN = re.compile(r"(?<![\u4e00-\u9fff])(阿[A-Z][a-z]+)|(?:[找是叫给跟])(阿[A-Z][a-z]+)")
_LEADS = frozenset("是叫给找请问和跟、，。！,.!:： \n的好对让位哦啊向为替给給請問讓為係来呢嗨呀了由派")


def find_chinese_names(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each name, the surest places first; spans may overlap."""
    for regex in (_SURE, _DEAR, _FOREIGN, _CALLED, _AGENT, _DOER):
        for match in regex.finditer(text):
            group = match.lastindex or 1
            name = match[group]
            typical = len(name) == 3 and all(ch in GIVEN_CHARACTERS for ch in name[1:])
            if name not in NOT_CHINESE_NAMES and (typical or name[:2] not in NOT_CHINESE_NAMES):
                yield match.span(group)
    for regex in (_DOUBLED, _GIVEN_ALONE, _HALF_LATIN):
        for match in regex.finditer(text):
            group = next(number for number, found in enumerate(match.groups(), 1) if found)
            known = NOT_CALLED if regex is _DOUBLED else NOT_CALLED | NOT_CHINESE_NAMES
            if match[group] not in known:
                yield match.span(group)
    for match in _TITLED.finditer(text):
        span = _before_title(text, match.start(), match[0])
        if span:
            yield span
    for match in _ROLE_TITLED.finditer(text):
        yield match.span(1)
    for match in _SURNAMED.finditer(text):
        yield match.start(1), match.end(1)
    for regex in (_RELATED, _LED, _ALONE, _FIRST, _CLOSED, _BETWEEN, _THREE):
        for match in regex.finditer(text):
            end = _shortened(match[1])
            if end:
                yield match.start(1), match.start(1) + end
    for match in _OLD_AND_SMALL.finditer(text):
        group = match.lastindex or 1
        yield match.start(group), match.end(group)


def _shortened(name: str) -> int:
    """How many characters of a possible name are one; 0 where it is a word."""
    if name[:2] in NOT_CHINESE_NAMES or name in NOT_CHINESE_NAMES:
        return 0
    if len(name) == 3 and name[1:] in NOT_CHINESE_NAMES:
        return 0
    return len(name)


_FAMILY_ONLY = re.compile(_FAMILY)
_RARE_FAMILY = re.compile(_ANY_FAMILY)
_NOBODY = frozenset({"康师傅", "小先生", "老师傅", "高先生"})  # brands and the like


def _before_title(text: str, end: int, title: str) -> tuple[int, int] | None:
    """张伟先生, 王女士: the longest name that begins where a word begins, else the surname next to the title."""
    for length in (4, 3, 2):
        start = end - length
        if start < 0 or not all("\u4e00" <= ch <= "\u9fff" for ch in text[start:end]):
            continue
        match = _FAMILY_ONLY.match(text, start, end)
        given = end - match.end() if match else 9
        if (
            not 0 <= given <= 2
            or text[start:end] in NOT_CHINESE_NAMES
            or text[start : start + 2] in NOT_CHINESE_NAMES
        ):
            continue
        typical = all(ch in GIVEN_CHARACTERS for ch in text[end - given : end])
        begins = start == 0 or text[start - 1] in _LEADS or not "\u4e00" <= text[start - 1] <= "\u9fff"
        if begins or (typical and given):
            return start, end
    if end >= 1 and (
        text[end - 1] in SURNAMES + TRADITIONAL_SURNAMES
        or (_RARE_FAMILY.match(text, end - 1, end) and (end == 1 or text[end - 2] in _LEADS))
    ):
        if text[end - 1 : end] + title in _NOBODY:
            return None
        if end >= 2 and text[end - 2 : end] in NOT_CHINESE_NAMES | _ENDINGS:
            return None
        return end - 1, end
    return None


_ENDINGS = frozenset({"总经", "大堂", "产品", "门店"})

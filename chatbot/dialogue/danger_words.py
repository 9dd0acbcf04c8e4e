"""What tells of a danger to life (chatbot/dialogue/danger.py), on folded text in simplified characters.

For each kind one pattern in English and one in Chinese, written for precision: a device does it, or it was done to
somebody.
"""

from __future__ import annotations

_PERSON = (
    r"(?:i|we|he|she|they|someone|somebody|child|children|toddler|baby|infant|kids?|son|daughter|boy|girl|husband"
    r"|wife"
    r"|partner|mother|father|mum|mom|dad|grandma|grandpa|grandmother|grandfather|grandson|granddaughter|friend"
    r"|brother"
    r"|sister|colleague|dog|cat|puppy|kitten|pet|(?:[12]?\d|one|two|three|four) ?-?year ?-?old)"
)
_NOT_A_DEVICE = (
    r"(?!(?:\w+ ){0,2}(?:husband|wife|son|daughter|colleague|boss|friend|man|woman|guy|driver|courier|neighbou?rs?"
    r"|someone|staff|people|he|she|you|we|i|coffee|beans|espresso|milk|deal|price|offer|sales?|team) (?:is|was"
    r"|are|has|'s|started))"
)
_THING = (
    r"(?:plugs?|sockets?|outlet|cable|cord|wires?|wiring|batter(?:y|ies)|charger|adapter|adaptor|power supply"
    r"|machine|kettle"
    r"|grinder|device|appliance|unit|base|motor|boiler|heater|oven|toaster|stove|fridge|phone|laptop|tablet|lamp"
    r"|scooter|bike|power ?bank|product|it|this|that|something|everything|thing)"
)
_IS = (
    r"(?:'s|s| is| are| was| were| has| have| had| keeps?| starts?| started| began| begins?| just| now| been| to"
    r"| suddenly| all| still| also| again| completely| really| literally)"
)
_BODY = (
    r"(?:hands?|arms?|fingers?|thumb|face|legs?|foot|feet|skin|eyes?|chest|wrist|palm|knee|head|neck|stomach"
    r"|belly|back|toes?)"
)
_WHOSE = r"(?:my|his|her|our|their|the baby'?s|(?:my|our) \w+'s)"
_SUBSTANCE = (
    r"(?:descal\w+|de-?calcifier|limescale remover|detergent|bleach|cleaners?|cleaning \w+|cleanser|citric acid"
    r"|acid|lye"
    r"|chemicals?|disinfectant|dishwasher \w+|(?:wash|laundry|cleaning) ?(?:pods?|tablets?)|poison|batter(?:y"
    r"|ies)|button cell|magnets?"
    r"|silica(?: gel)?|desiccant|glue|paint|soap|broken glass|glass shards?|shards?|antifreeze|coins?|screws?"
    r"|rat poison|pills)"
)
_SOME = (
    r"(?:(?:some|the|a|an|of|bit|little|lot|all|up|from|your|our|my|his|her|whole|half|bottle|cup|glass|sip"
    r"|mouthful|piece|part"
    r"|accidentally|this|that|liquid|by|mistake|descaling|coffee|tea|machine|kettle|espresso|water|with|in|it"
    r"|still|had|there|was|two|three"
    r"|one|several|small|entire|liquid|milk|into) ){0,7}"
)

PATTERNS: dict[str, tuple[str, str]] = {
    "fire": (
        # smoke
        rf"\b{_NOT_A_DEVICE}(?:{_THING}|(?:the|my|our|your|this"
        rf"|that) (?:[\w-]+ ){{0,3}}[\w-]+)(?:{_IS})+ ?smok(?:ing|ed)\b"
        r"(?! (?:hot|deal|area|room|allowed|outside|weed|a|cigar\w*|free|section)\b)"
        r"|^smoke ?!|\bsmoke (?:is |was |keeps? |are )?(?:com(?:es|ing)|pour(?:s|ing|ed)|ris(?:es|ing)|billow\w*"
        r"|everywhere|from|out of"
        r"|leaking|escap\w+|in (?:the|my|our) (?:kitchen|house|room|flat|office|air))"
        r"|\b(?:see|seeing|saw|smell(?:ed|ing)?|full of|lots of|lot of|black|thick|there'?s|there is|there was"
        r"|giv(?:es|ing|e) off"
        r"|emit\w*|produc\w+|puffs? of|cloud of|started to|begins to|starts to) (?:some |black |white |grey "
        r"|thick |a bit of |lots of )?smoke\b"
        r"(?! (?:detector|alarm|flavou?r|sensor|colou?r|taste|note|free))"
        r"|(?<!coffee )(?<!beans )(?<!espresso )\bsmells? (?:\w+ ){0,2}(?:like|of) (?:\w+ )?(?:smoke|fire)\b"
        # fire
        r"|\b(?:caught|catch(?:es|ing)|set (?:\w+ ){1,3}on) fire\b"
        rf"|\b{_NOT_A_DEVICE}(?:{_THING}|kitchen|house|flat|(?:the|my|our) \w+)(?: is|'?s| was"
        rf"| are)(?: \w+)? on fire\b(?! sale)"
        r"|\b(?:there(?:'s| is| was)|help) (?:a |an )?(?:small |big |huge |electrical )?fire\b(?! (?:sale|pit"
        r"|place|tv|stick))"
        r"|\bfire in (?:the|my|our) (?:kitchen|house|flat|office|room|machine|oven|garage)|\b(?:up )?in flames\b"
        r"|\bflames? (?:\w+ )?(?:com|shoot|shot|from|out|inside|under)\w*|\b(?:saw|see|there (?:are"
        r"|were)) (?:\w+ )?flames\b"
        # burning
        r"|\bburning (?:plastic|rubber|electric\w*|wires?|cables?)\b|\b(?:burnt|burned|burning"
        r"|scorched) (?:electrical |plastic )?smell\b"
        r"(?! (?:in|to|of|from) (?:the |my )?(?:coffee|espresso|cup|milk|beans)(?! (?:machine|maker|grinder)))"
        r"|(?<!coffee )(?<!beans )(?<!espresso )(?<!milk )(?<!it )\bsmell(?:s|ed|ing)? (?:\w+ ){0,3}(?:burning"
        r"|burnt plastic|burning|melting|scorched|electrical)\b"
        r"(?! (?:coffee|milk|beans))"
        rf"|\b{_THING}(?:{_IS})* ?(?:melt(?:ed|ing|s)|burning|explod(?:ed|es|ing)|blew up|charred|scorched"
        rf"|overheating)\b"
        r"(?! (?:the|my|our|your|all)? ?(?:\w+ )?(?:milk|coffee|beans|espresso|food|rice|toast|chocolate|butter"
        r"|cheese|tongue|calories|question|money|issue|hole))"
        r"(?! in (?:popularity|price))"
        rf"|\b{_THING}(?:{_IS})* ?spark(?:s|ed|ing)\b(?! (?:joy|interest|curiosity|water))"
        r"|\b(?:throws?|threw|saw|see|there (?:are|were)|with|shooting|flying) (?:\w+ )?sparks\b"
        r"|\bsparks (?:\w+ )?(?:com|fly|flew|from|out|when|shoot)\w*"
        rf"|\bbatter(?:y|ies)(?:{_IS})+ (?:\w+ )?(?:swollen|bulging|swelling|hissing)\b"
        r"|\b(?:plug|socket|outlet|cable|cord|battery|charger|adapter|adaptor)s?(?: is| are| gets?| got| was"
        r"| feels?|'s| has become| becomes| became)"
        r" (?:\w+ ){0,2}hot\b",
        r"冒(?:着|了|出|起|黑|白|浓|大|很|好|多|阵|一|股|点|些|来|的)*烟(?!灰)|(?<!抽)烟(?!灰"
        r"|酒)[^,。!?]{0,8}冒出|(?:烧焦|焦糊|焦臭)的?味道?从|[着起失]火(?!点|车|锅)|自燃|烧起来|烧着了|火苗"
        r"|(?<!擦出)(?<!碰出)(?<!爱情)(?<!思想的)火花(?!塞)|(?:机|机器|壶|插头|插座|线|电池|电源|底座|炉|灶|器"
        r"|里面?|后面?|底部|下面)[在直都]*冒火"
        r"|(?<!大)(?<!气)(?<!态度)(?<!价格)(?<!信息)(?<!心态)爆炸(?!差|好|多|慢|性|价|式|头|盐|新闻)|(?:电池"
        r"|机器?|壶|玻璃|充电.?|插座|电源)[^,。!?]{0,5}(?:炸|爆)(?:了|裂|开|掉)"
        r"|(?:机器?|壶|插头|插座|电线|线路?|电源|底座|主板|马达|电机|充电器|电池|塑料|胶|电器)"
        r"(?:(?!咖啡|奶|豆|喝|茶|做|煮|冲|萃|水|烤|饭|菜)[^,。!?]){0,8}(?:焦味|焦臭|焦糊|糊味|烧焦|烧糊|烧坏的?味)"
        r"|闻到(?:了|有|一|股|很|浓|的|阵|些|种)*(?:塑料|电线|东西|橡胶|胶皮)?(?:烧焦|焦味|焦臭|焦糊|糊味|烧糊"
        r"|烟味|烧东西)"
        r"|(?:插头|插座|电线|电源线?|电池|充电器|适配器)(?:(?!水)[^,。!?]){0,5}(?:烫|过热|融化|熔化|烧(?!水)"
        r"|鼓包|鼓起|膨胀)",
    ),
    "gas": (
        r"\bsmell(?:s|ed|ing)? (?:\w+ ){0,3}gas\b(?! station)|\bgas (?:is )?(?:leak(?:s|ing|ed|age)?|smell)\b"
        r"|\bleak(?:s|ing)? gas\b"
        r"|\bcarbon monoxide (?:poison\w*|leak\w*|alarm (?:is|went|goes|keeps|started|rang))",
        r"(?:煤气|天然气|燃气|瓦斯|液化气)(?:的)?(?:味|泄漏|泄露|漏了|漏气|在漏|中毒)|漏(?:煤气|燃气|天然气|瓦斯)"
        r"|闻到[^,。!?]{0,5}(?:煤气|天然气|燃气|瓦斯)|一氧化碳(?:中毒|泄漏|泄露|报警)",
    ),
    "shock": (
        r"(?<!risk of )(?<!risk of an )(?<!against )(?<!prevent )(?<!danger of )"
        r"\belectric(?:al)? shocks?\b(?! (?:class|protection|hazard label))"
        r"|\belectrocut(?:ed|ing|ion|es)\b"
        rf"|\b(?:gives?|gave|giving|given) (?:me|him|her|us|my \w+|you|people|off) (?:\w+ ){{0,3}}shocks?\b(?! of)"
        r"|\b(?:got|get|getting|had|received?|felt) (?:a |an |quite a |such a )?(?:small |little |mild |bad "
        r"|nasty |strong |slight )?shocks?"
        r" (?:from|off|when(?! i (?:saw|read|got|opened|looked|received|heard|found|checked|noticed))|by|touching"
        r"|while|out of)\b(?! (?:the |your |this )?(?:price|bill|invoice|news|e-?mail|letter))"
        rf"|\b(?:{_THING}|handle|housing|casing|metal|body|tap|switch|button|lid)(?: \w+)? (?:shocks?|shocked"
        rf"|zaps|zapped) (?:me|us|him|her|my \w+)\b"
        r"|\b(?:got|get|getting|was|been) zapped\b|\b(?:got|get|getting) shocked (?:by|from|off|touching) (?:the "
        r"|my |your |this )?(?:\w+ )?(?:machine|kettle|grinder|tap|handle|housing|plug|socket|cable|device|metal"
        r"|it)\b"
        r"|\b(?:housing|casing|metal|case|body|machine|kettle|handle|tap|water)(?: is|'s| feels?"
        r"| was) (?:\w+ )?electrified\b"
        r"|\bleak(?:s|ing)? (?:electricity|current|voltage)\b|\b(?:bare|exposed|live) wires?\b",
        r"漏电(?!吗|么|吧|保护|开关|断路|检测|流)|触电(?!保护|般)|(?:被|给|让)[^,。!?]{0,4}电(?:到|了|着|击|得|麻"
        r"|晕|倒|伤)|(?<!防)电击|电到(?:我|人|手|孩|了)|电了我|电得[^,。!?]{0,3}麻"
        r"|(?:外壳|机身|壳|龙头|金属|机器|把手)[^,。!?]{0,3}带电(?!脑|池|源|机|子)",
    ),
    "poison": (
        rf"(?<!machine )(?<!slot )(?<!atm )\b(?:drank|drunk|drinks|drinking|swallow(?:ed|s|ing)?|ate|eaten|eats"
        rf"|ingest(?:ed|ing)?|inhal(?:ed|ing)|licked|sipped|gulped|chewed)"
        rf" {_SOME}{_SUBSTANCE}\b(?! (?:taste|flavou?r|smell))"
        rf"|\b{_PERSON}\b(?:(?! machine)[^,.!?]){{0,25}}\b(?:swallowed|ingested)\b"
        rf"|\b{_SUBSTANCE} (?:\w+ ){{0,4}}(?:swallowed|was drunk|ingested|in(?:to)? (?:my|his|her|their"
        rf"|the) (?:baby'?s |kid'?s |child'?s )?(?:eyes?|mouth))\b"
        r"|\b(?:is|am|are|was|were|got|been|feel|'m|i'm|food|getting) poison(?:ed|ing)\b|\bpoison control\b"
        r"|^(?:\W*(?:and|so|but|ok|oh|please|help|quick|wait|god|my god)[ ,!]+)*(?:is|are) (?:it|this|that|they"
        r"|these|the|your|citric)? ?"
        rf"(?:stuff|liquid|{_SUBSTANCE})? ?(?:very |really |actually )?(?:poisonous|toxic|deadly"
        rf"|lethal)\b(?![ -]free)"
        r"|\b(?:poisonous|toxic|dangerous|harmful|lethal|safe|bad) (?:for \w+ )?(?:if|when"
        r"|to) (?:\w+ ){0,3}(?:swallow\w*|ingest\w*)"
        r"|\boverdos(?:ed|ing|e on)\b|\b(?:took|taken) an overdose\b",
        r"(?<!防)误(?:食|喝|服|吞|饮)|(?:喝|舔|吃|咽|吞|饮)(?:了|下|到|进|掉|过|完|一口|几口|的是|错)[^,。!?]{0,8}?"
        r"(?:除垢|清洁剂|清洁液|清洗剂|清洗液|洗洁精|洗涤|洗衣液|消毒|漂白|柠檬酸|清洁片|清洁药|药片|药水|洁厕"
        r"|强酸|盐酸|强碱|农药|鼠药|化学|干燥剂|胶水|油漆)"
        r"(?!之?后)|(?:吞|咽)(?:了|下|进|到|掉|食)?[^,。!?]{0,6}(?:电池|硬币|磁铁|玻璃|零件|螺丝|塑料|珠|干燥剂|异物)"
        r"|(?:除垢剂?|清洁剂|清洁液|清洗剂|洗洁精|消毒[液水]|漂白[水剂]|柠檬酸|清洁片|干燥剂|药水|药片"
        r"|电池)[^,。!?]{0,6}"
        r"(?:(?:喝|吞|吃)(?:了(?!吗|没)|下|掉|进)|误|当(?:成|作)?(?:水|饮料|糖)|(?:进|溅|弄|喷|入"
        r"|滴)[^,。!?]{0,3}(?:眼|嘴|口里|口中))"
        r"|(?<!电脑)(?<!手机)(?<!系统)中毒(?!文件|软件)"
        r"|^(?:请问|那|快说|所以)?,?(?:这个?|那个?|它|这东西|这玩意|这种|除垢剂|清洁剂|清洗剂|柠檬酸"
        r"|清洁片)?(?:到底|会不会|是不是)?有(?:没有)?(?:剧)?毒(?:吗|么|的|嘛|吧|啊|性)?[?!。]*",
    ),
    "injury": (
        rf"\b(?:burn(?:ed|t|s)?|scald(?:ed|s)?|cut|slic(?:ed|es)|crushed|smashed|injured|pierced"
        rf"|stabbed) {_WHOSE} (?:\w+ )?{_BODY}\b"
        r"|\b(?:burn(?:ed|t)|scald(?:ed)?|injur(?:ed|ing)|hurt|cut) (?:him|her|my|them|our)sel(?:f"
        r"|ves)\b(?! (?:short|off))"
        rf"|\b{_PERSON}(?: am|'m| is|'s| was| were| are| got| has| have|'ve| been| just| badly| severely"
        rf"| seriously| slightly)+"
        r" (?:burn(?:ed|t)|scald(?:ed)?|injured|unconscious|choking|convulsing)\b"
        r"(?! out)(?! by (?!(?:the |your |a |an |this |hot |boiling |scalding )*(?:steam|water|machine|kettle"
        r"|plate|oil|coffee|tea|milk|explosion|lid|handle)))(?! before)"
        r"|\b(?:second|third)[ -]degree burns?\b|\b(?:severe|bad|serious|nasty) (?:burns?|injur(?:y|ies)|bleeding"
        r"|cuts?)\b(?! rate)"
        r"|(?<!ink )(?<!colour )(?<!color )(?<!line )\b(?:i'?m|am|is|are|keeps?|still|stop|started|was|were|he'?s"
        r"|she'?s) bleeding\b"
        r"(?! (?:edge|money|cash|through|ink|colou?r|air|out colou?r|customers|users|onto|into))"
        r"|\bbleeding (?:heavily|a lot|badly|profusely|and|wo|does)"
        r"|\b(?:can'?t|cannot|can not|unable to|trouble|difficulty|struggl\w+ to|hard to) breath(?:e"
        r"|ing)\b(?! (?:new )?life)|\b(?:not|stopped|isn'?t) breathing\b"
        r"|\b(?:passed out|fainted|lost consciousness|knocked unconscious)\b|\bchok(?:ed|ing) on\b(?! (?:the "
        r"|that |your )?(?:price|bill))"
        rf"|\b(?:is|'s|are|started|am|i'm) choking\b(?! hazard)|\b{_PERSON} .{{0,20}}\ballergic reaction\b"
        rf"|\banaphyla\w+"
        r"|\b(?:need|call(?:ed|ing)?|want|send|get) (?:me |us )?an ambulance\b"
        r"|(?<!almost )(?<!nearly )\b(?:having|is having|had) a (?:heart attack|stroke|seizure)\b"
        rf"|\b(?:boiling|hot|scalding) (?:water|steam|coffee|tea|oil|milk) (?:\w+ ){{0,3}}(?:on|over|onto"
        rf"|in) (?:me|him|herself|himself|myself|us|{_WHOSE} (?:\w+ )?(?:{_BODY}|son|daughter|child|baby|kid|wife"
        rf"|husband))\b"
        rf"|\bglass (?:\w+ ){{0,2}}in(?:to)? {_WHOSE} (?:\w+ )?(?:{_BODY}|mouth)\b",
        r"(?<!怕)(?<!会不会)(?<!容易)(?<!防止)(?:烫|烧|灼|炸)伤(?!膏|药|险)|(?:(?<![二把])手(?!机|柄|把|动|工|续"
        r"|册|磨)|手指|手臂|脸|脚|胳膊|腿|眼睛?|皮肤|(?<![插龙喷镜接探])头|孩子|宝宝|小孩|我(?!的|们的|收|买"
        r"|家的)|儿子|女儿|妈|爸|老婆|老公|老人|奶奶|爷爷)"
        r"(?:(?!杯|机|壶|盒|屏|漆|面板|包装|货|外壳)[^,。!?]){0,6}(?:割伤|划伤|砸伤|夹伤|扎伤|切伤|受伤|割破|划破"
        r"|烫到|烫了|烫破|烫起|烧到|夹到|扎到|切到手|割到手)"
        r"|(?<!气得)(?<!大)(?:流|出)(?:了|着|很多|好多|不少|满地)*血(?!甩|价|卖|本)|血流|止不住血|血止不住|骨折"
        r"|昏迷|晕倒|晕过去|昏过去|休克|(?:没有?|停止)(?:了)?呼吸|呼吸困难|(?<!笑得)喘不[上过]气|窒息(?!的?操作)"
        r"|噎[住到着]"
        r"|卡[在到住][^,。!?]{0,2}(?:喉咙|嗓子|气管)|呛到气管|严重过敏|过敏反应|(?:叫|要|打|喊)(?:了|个"
        r"|辆)?救护车|心脏病发|起(?:了)?水泡",
    ),
    "self_harm": (
        r"\bkill(?:ing)? my ?self\b|\bkill(?:ing)? (?:him|her|them)sel(?:f|ves)\b|\bend(?:ing)? (?:my|his"
        r"|her) (?:own )?life\b|\btak(?:e|ing) (?:my|his|her) own life\b"
        r"|\bsuicid(?:e|al)\b(?! (?:squad|doors?))|\b(?:harm(?:ing)?|hurting|cutting) myself\b|\bself[- ]harm\w*"
        r"|\bi(?:'m| am|'d| would| do)?(?: (?:just|really|only|honestly|literally|even|so))* (?:want|wanna|wish"
        r"|going|gonna|rather|ready)"
        r"(?: to| just| i could| i would| i was| simply| be)* (?:die|dead)\b(?! for| of | waiting| laughing"
        r"| trying| here waiting)"
        r"|\b(?:don'?t|do not|no longer|not|never) (?:want|wanna|wish) (?:to )?(?:live|be alive|exist|wake up"
        r"|go on living|be here)(?: any ?more| any longer|[.!]|$)"
        r"|\b(?:no|any|see no) reason to (?:live|stay alive|keep living)\b|\bbetter off (?:dead|without me)\b"
        r"|\bif i (?:was|were|am) dead\b|\bi wish i (?:was|were) dead\b|\blife is not worth|\bend it all\b",
        r"自杀(?!式|价)|自尽|轻生|寻死|自残|(?<!笑得)(?<!好)想死(?!的心|你|我|机|循环|他|她|了你)"
        r"|不想(?:再)?活(?!动|跃|着?被)|活不下去|(?:结束|了结)(?:掉)?(?:自己|我)?的?(?:生命|一生|性命)|了结自己"
        r"|(?:我|还不如|不如)(?:去)?死了?算了|[想要去]跳楼(?!价|甩)|[想要]割腕|割腕了|活着(?:真|太|好"
        r"|也)?(?:没意[思义]|没什么意[思义]|没劲|痛苦)|伤害(?:我)?自己",
    ),
}

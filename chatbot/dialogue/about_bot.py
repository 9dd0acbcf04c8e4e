"""What people say about whom they talk to instead of asking something: what it is, that it is clever or of no use.

By rule and only as a whole message, as all small talk (chatbot/dialogue/smalltalk.py). ``plain`` is the message in
simplified characters (chatbot/language/simplified.py) without punctuation.
"""

from __future__ import annotations

import re
from typing import Literal

AboutBot = Literal["about_bot", "bot_praised", "bot_blamed"]
LIMIT = 70  # characters; who writes more says more

_BOT = r"(?:chat ?bot|ro?bot|bot|ai|a i|computer|machine|program|software|algorithm|llm|chat ?gpt|gpt)"
_HUMAN = r"(?:human being|human|person|someone real|real|alive|agent|man|woman)"
_KIND = rf"(?:an? |the |some |some kind of )?(?:real |actual |live |living |automated |automatic )?(?:{_BOT}|{_HUMAN})"
_OR = rf"(?: or (?:are you |is it |to |with |just )*(?:{_KIND}|what|not))?(?: here| at all| right)?"
_STRESS = r"(?: (?:even|actually|really|just|all|seriously|honestly|perhaps|by any chance|also|currently|now|only))*"
_LEAD = r"(?:(?:so|wait|hey|hi|hello|ok|okay|sorry|but|and|oh|hmm|well|please|tell me|excuse me|lol|wow) )*"
_WHAT_EN = re.compile(
    rf"{_LEAD}(?:"
    rf"(?:are|r|aren't) (?:you|u|ya|you guys){_STRESS} {_KIND}{_OR}"
    rf"|(?:am i|are we)(?: not)?{_STRESS} (?:talking|speaking|chatting|writing|texting|typing){_STRESS} (?:to"
    rf"|with) {_KIND}{_OR}"
    # "is this a machine" may ask about what is sold
    rf"|is (?:this|that|it){_STRESS} (?:an? )?(?:real |actual |live )?(?:chat ?bot|ro?bot|bot|human being|human"
    rf"|real person)"
    rf"{_OR}"
    rf"|is (?:this|that|it){_STRESS} {_KIND} or (?:an? )?(?:real |actual |live )?(?:{_BOT}|{_HUMAN})(?: here)?"
    r"|(?:you are|you're|ur) (?:just |only )?(?:a |an )(?:chat ?bot|ro?bot|bot|ai|machine)"
    r"(?: (?:right|aren't you|arent you|are you not|isn't it|huh))?"
    r"|who (?:are|r) (?:you|u)|who am i (?:talking|speaking|chatting|writing) (?:to|with)|who is (?:this|there|that)"
    r"|what are you|(?:what's|what is|whats) your name|do you have a name|are you (?:siri|alexa|claude|gemini)"
    r")"
)
_BOT_ZH = r"(?:聊天|客服|智能)?机器人|机器|人工智能|ai|电脑|程序|自动回复|智能客服|chatgpt|gpt"
_KIND_ZH = rf"(?:一?个)?(?:{_BOT_ZH}|真人客服|人工客服|真的人|真人|活人|人工|人类|人)"
_YOU_ZH = r"(?:你们?|您们?|对面|对方|这边|这里|那边|客服)"
_LEAD_ZH = r"(?:那|请问|喂|嘿|所以|哎|诶|话说|等等|不好意思|你好|您好|我想知道|哈哈+)*"
_END_ZH = r"(?:吗|么|嘛|吧|呢|啊|呀|呐|来着|对吧|是吧)*"
_WHAT_ZH = re.compile(
    rf"{_LEAD_ZH}(?:"
    rf"{_YOU_ZH}(?:到底|究竟|其实|该|真的|现在)*(?:是不是|不会是|是|就是|不是|算){_KIND_ZH}(?:(?:还是|或者?){_KIND_ZH})?{_END_ZH}"
    rf"|(?:这|那)(?:到底|究竟|其实|真的)*(?:是不是|不会是|是|不是)(?:一?个)?(?:{_BOT_ZH}|真人|活人)"
    rf"(?:(?:还是|或者?){_KIND_ZH})?{_END_ZH}"
    rf"|(?:是不是|是)?(?:{_BOT_ZH}|真人|活人|人)(?:还是|或者?){_KIND_ZH}{_END_ZH}"
    r"|(?:是不是|是)(?:真人|机器人|活人)(?:在)?(?:回复|回答|聊天?)?(?:吗|么|吧|啊|呀)*"
    rf"|机器人(?:吗|么|吧)"
    rf"|我(?:现在)?(?:是在|在|是)[跟和与]{_KIND_ZH}(?:(?:还是|或者?)[跟和与]?{_KIND_ZH})?(?:在)?(?:聊天?|说话|对话|讲话|沟通|交流){_END_ZH}"
    rf"|我(?:现在)?(?:是在|在|是)?[跟和与]谁(?:在)?(?:聊天?|说话|对话|讲话|沟通|交流){_END_ZH}"
    rf"|{_YOU_ZH}(?:到底|究竟)?(?:是谁|是什么(?:东西|人|机器人)?|叫什么(?:名字)?){_END_ZH}|怎么称呼(?:你|您)?{_END_ZH}"
    r")"
)

_VERY = r"(?:(?:so|very|really|pretty|quite|actually|rather|surprisingly|super|too|such|just|absolutely|totally|the) )*"
_THIS = r"(?:this|the|your) (?:(?:stupid|dumb|silly) )?(?:chat ?bot|ro?bot|bot|chat|assistant|thing|ai)"
_PRAISE_EN = re.compile(
    r"(?:(?:ha(?:ha)+|lol|wow|oh|well|hey|ok|okay|thanks?|thank you|so much|a lot|cheers|great|yes) )*(?:"
    rf"(?:(?:you are|you're|you r|u r|ur|your)|{_THIS} is) {_VERY}(?:an? )?"
    r"(?:great|smart|clever|helpful|awesome|amazing|good|nice|kind|sweet|funny|cool|brilliant|best|star|genius|lifesaver"
    r"|angel|excellent|fantastic|wonderful|impressive|intelligent|cute|legend|hero|quick|fast)"
    r"(?: (?:bot|robot|assistant|at this|help))?"
    r"|(?:good|great|nice|clever|smart|cute|lovely) (?:bot|robot|job|work|answer)|well done|(?:i )?(?:love"
    r"|like) (?:you|this bot)"
    r"|(?:i|we) (?:(?:just|really|absolutely|so) )*(?:love|luv|adore) (?:u|(?:your|ur)(?: \w+){1,2})"
    r"|(?:that was|that's|that is) (?:very |really |so |super )?(?:helpful|useful|kind of you|nice of you|impressive)"
    r")(?: (?:thanks?|thank you|so much|a lot|ha(?:ha)+|lol))*"
)
_PRAISE_ZH = re.compile(
    r"(?:哈+|嗯+|哇+|哎呀|诶|谢谢(?:你|您)?|多谢)*(?:"
    r"(?:你们?|您|这个?(?:机器人|客服|助手))(?:还|可|真是?|真的|好|太|很|挺|蛮|这么|非常|确实|是|也)*"
    r"(?:聪明|厉害|棒|好|贴心|可爱|牛|靠谱|专业|给力|不错|懂事|耐心|有用|好用|智能|好玩|有意思|有趣|了不起|热情|温柔|能干|强)"
    r"|我?(?:们)?(?:太|好|真|超|最)*(?:爱死?|喜欢)(?:你们?|您)(?:家|们家|店)?的?[^，,。不]{0,6}"
    r"|(?:真|好|太|挺|还挺|真是太)(?:聪明|厉害|棒|贴心|可爱|牛|靠谱|专业|给力|智能)"
    r")(?:了|的|啊|呀|呢|哦|嘛|吧|哈)*(?:谢谢(?:你|您)?(?:了|啦)?|多谢)?"
)
_BLAME_EN = re.compile(
    r"(?:(?:oh|well|ok|okay|no|sorry|but|man|god|omg|seriously|wow|lol|great|come on) )*(?:"
    rf"(?:you are|you're|u r|ur|your|{_THIS} is) "
    r"(?:(?:so|really|just|absolutely|completely|totally|such|pretty|very|bloody|fucking|as|all|always"
    r"|not even) )*(?:an? )?"
    r"(?:useless|stupid|dumb|not helping(?: me| at all)?|not (?:very |really |being |much )?(?:helpful|useful"
    r"|smart|clever|good)"
    r"|no help(?: at all)?|of no help|no use|of no use|unhelpful|hopeless|terrible|awful|rubbish|worthless"
    r"|annoying|idiot"
    r"|joke|worst|bad|not (?:understanding|listening|answering)(?: me| my question)?|crap|garbage|trash"
    r"|waste of (?:my )?time"
    r"|(?:stupid|dumb|useless|bad) (?:chat ?bot|ro?bot|bot|machine))"
    r"|this is (?:so |just |really |completely |absolutely |totally )*(?:useless|not helping|not helpful|no help"
    r"|ridiculous|a joke"
    r"|hopeless|pointless|a waste of (?:my )?time)"
    r"|(?:that's|that is|thats|that was|this is|it's) not (?:really |even )?(?:what i (?:asked|meant|wanted|said"
    r"|want)(?: for| to know)?"
    r"|my question|an answer|the answer|an answer to my question|helpful|helping|useful|very helpful)"
    r"|(?:that|this|it) (?:did not|didn't|didnt|does not|doesn't|doesnt) (?:really |even )?"
    r"(?:help(?: me| at all)?|answer (?:it|my question|the question))"
    r"|you (?:did not|didn't|didnt|do not|don't|dont|never|still haven't|can't|cant) (?:even |really )?"
    r"(?:answer(?:ed)?(?: me| my question| the question| that)?|understand(?: me| anything| it)?|get (?:it|me)"
    r"|listen(?: to me)?"
    r"|know anything|help(?: me)?)"
    r"|(?:stupid|dumb|useless|bad|silly|idiot|crap|damn) (?:chat ?bot|ro?bot|bot|machine|thing|ai)"
    r"|you suck|i hate (?:you|bots|robots|chat ?bots|this bot|this chat ?bot)"
    r")(?: (?:at all|lol|anymore|any more|here))?"
)
_BLAME_ZH = re.compile(
    r"(?:唉|哎|靠|天啊?|不是|我去|算了|呵呵)*(?:"
    r"(?:(?:你们?|您)(?:这个?)?(?:机器人|客服|ai)?|这个?(?:破|傻|笨)?(?:机器人|客服|ai)|机器人)"
    r"(?:也|可|还|真是?|真的|好|太|很|怎么|这么|简直|就是|就|一点(?:儿|也|都)*|根本|完全|什么都|啥都|是|个|真他妈|到底|都|总是|老)*"
    r"(?:没用|没啥用|没什么用|没有用|不行|笨|蠢|傻|白痴|智障|废物|垃圾|烦|烂|差劲?|弱智?|不懂|听不懂|帮不上忙|帮不了我?|不好用|不聪明"
    r"|答非所问|不靠谱|气人|没帮助|不回答(?:我的?)?(?:问题)?)(?:了|的|啊|呀|呢|死了|透了|吧|吗|人话|我说的?话?)*"
    r"|答非所问|牛头不对马嘴|驴唇不对马嘴|说了等于没说|等于没说|一点用都?没有|听不懂人话|对牛弹琴"
    r"|我(?:不是问|问的不是|没问|不是在问|没有问)(?:这个?|那个?)(?:问题)?(?:啊|呀|好吗|吧)?|我不是(?:这|那)个?意思|不是这个意思"
    r"|你(?:没有?|还没)(?:听懂|明白|理解|看懂|回答)(?:我的?)?(?:问题|意思|话)?|你没懂(?:我的?意思)?"
    r"|(?:你(?:在)?(?:说|讲|回答)的?(?:都是)?(?:什么|啥)(?:鬼|玩意儿?|东西)?)(?:啊|呀|呢)?"
    r"|(?:真|太)?(?:没用|废物|垃圾)(?:东西|玩意儿?)?|没用的东西|什么(?:破|烂|垃圾)(?:玩意儿?|东西|机器人|客服)"
    r"|(?:笨|傻|蠢|破|垃圾|智障)机器人|(?:笨|蠢)(?:死了|蛋)"
    r")(?:了|啊|呀|吧|哎)*"
)
_MARKS = re.compile(r"[\s!.,;:~?…、。\-_()\"“”]+")


def asks_what_it_is(text: str) -> bool:
    """Whether the message, folded and in simplified characters, asks whether it talks to a bot, or to whom."""
    plain = _MARKS.sub(" ", text).strip()
    tight = plain.replace(" ", "")
    return len(plain) <= LIMIT and bool(_WHAT_EN.fullmatch(plain) or _WHAT_ZH.fullmatch(tight))


def about_bot(text: str) -> AboutBot | None:
    """What a message, folded and in simplified characters, says about the bot where it says nothing else."""
    if asks_what_it_is(text):
        return "about_bot"
    plain = _MARKS.sub(" ", text).strip()
    tight = plain.replace(" ", "")
    if len(plain) > LIMIT:
        return None
    if _BLAME_EN.fullmatch(plain) or _BLAME_ZH.fullmatch(tight):
        return "bot_blamed"
    return "bot_praised" if _PRAISE_EN.fullmatch(plain) or _PRAISE_ZH.fullmatch(tight) else None

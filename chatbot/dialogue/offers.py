"""What a reply left open to the customer: a person, or several things that may have been meant; and what he says to it.

Whether a person was offered is kept with the reply (``PartTrace.offers_person``) and never read from its words: these
are in two languages, and a company may have its own. Behind "shall I pass you on?" more is a yes than behind "shall I
cancel it?", so these words are not those of ``own_words.yes_or_no``.
"""

from __future__ import annotations

import re
from typing import Literal

from chatbot.dialogue.saying import ASKING_TALK, Part
from chatbot.language.simplified import simplified

_ASKING_RULES = frozenset(
    {
        "not_known",
        "asked_again",
        "sent_before",
        "too_long",
        "others_data",
        "tapped",
        "did_not_help",
        "only_details",
    }
)
_ASKING_ACTIONS = frozenset({"action_sign_in", "action_failed"})

_MARKS = re.compile(r"[\s!.,;:~…、。\-_()\"“”🙏😊🙂]+")  # not a question mark: "要?" may ask back
_YES_EN = (
    r"(?:yes|yeah|yep|yup|ya|yea|yess+|aye|sure|ok|okay|k|kk|fine|alright|all right|right|absolutely|definitely"
    r"|certainly"
    r"|of course|why not|sounds? good|good idea|go ahead|go for it|go on then|do it|do that|do so|do"
    r"|let's do (?:it|that)"
    r"|i would|i do|i'd (?:like|love|appreciate) (?:that|it)|would be (?:good|great|nice|lovely|helpful)"
    r"|that(?:'d| would) be (?:good|great|nice|lovely|helpful|perfect)|(?:that'?s|that is) fine(?: by me)?"
    r"|if you (?:can|could|would|like)"
    r"|(?:pass|put|connect|transfer|hand) me(?: on| over| through)?(?: (?:to|with) (?:them|one|him|her))?"
    r"|i guess(?: so)?"
    r"|i think so|by all means|correct|indeed|thumbs up|yes you (?:may|can|should)|you (?:may|can|should))"
)
_POLITE_EN = (
    r"(?:please|pls|plz|thanks?|thank you|thx|then|now|yes|so|kindly|you|very much|a lot|mate|that|it)"
)
_NO_EN = (
    r"(?:no|nope|nah|no need(?: (?:to|for (?:that|it|a (?:person|colleague|human))))?|not (?:necessary|needed"
    r"|required|now|yet|really|today)"
    r"|no thanks?|no thank you|don't|do not|don't do (?:that|it)|rather not|i'd rather not|i would rather not"
    r"|never ?mind|forget (?:it|that)"
    r"|(?:it'?s|that'?s|it is|that is|i'?m|i am) (?:ok|okay|fine|good|alright"
    r"|all right) ?(?:without)?(?: thanks?| thank you)"
    r"|(?:i'?m|i am) (?:good|fine|ok|okay)|all good|skip (?:it|that)|leave it|stop|cancel(?: that| it)?"
    r"|(?:maybe |perhaps )?later|not a (?:person|human|colleague))"
)
_LEAD_EN = r"(?:(?:oh|well|um+|uh+|hm+|ah|and|so|then|thanks?|thank you|please|actually|just) )*"
_YES_ZH = (
    r"(?:是|好|行|可以|要|需要|必须|对(?!了$)|嗯+|中|成|得|当然|没问题|转|帮我转|请转|麻烦转|转一?下|转人工|(?:麻烦|请)?(?:您|你)?帮我转(?:一?下)?(?:人工|过去)?|叫|叫人|接|拜托|麻烦|有劳|辛苦|请|帮忙|同意|愿意|ok|okay"
    r"|我(?:要|需要|愿意|同意|想要?)|那?就?(?:转|好|行|麻烦|请)|也(?:行|好|可以)|(?:可以|好|行)(?:转|帮我转)?)"
)
_TAIL_ZH = r"(?:您|你|你们|了|的|吧|啊|呀|嘛|哦|喔|噢|啦|嘞|哈|滴|呗|啰|喽|谢谢|多谢|谢谢您|谢谢你|一下|下)*"
_NO_ZH = (
    r"(?:不|不用|不用转|不转|不要|不要转|不必|不需要|无需|免|算|别|别转|先不|先不用|暂时不用|暂时不需要|还是不用|还是算|没事|没关系|不是|不想|不想转|不可以|不行"
    r"|我不(?:要|用|需要|想转?)|不用?麻烦|算了吧|取消)"
)
_YES = re.compile(rf"{_LEAD_EN}(?:please|{_YES_EN})(?: (?:{_YES_EN}|{_POLITE_EN}))*")
_NO = re.compile(rf"{_LEAD_EN}(?:please )?(?:{_NO_EN}|it'?s fine)(?: (?:{_NO_EN}|it'?s fine|{_POLITE_EN}))*")
_ZH_YES = re.compile(rf"(?:{_YES_ZH}{_TAIL_ZH})+")
_ZH_NO = re.compile(rf"(?:(?:哦|嗯|那|哎|谢谢)*{_NO_ZH}{_TAIL_ZH})+")
_THUMB = re.compile(r"[👍👌✅🆗\U0001F3FB-\U0001F3FF\uFE0F\s]*[👍👌✅🆗][\U0001F3FB-\U0001F3FF\uFE0F\s]*")
_LIMIT = 40  # characters


def answered_offer(text: str) -> Literal["yes", "no"] | None:
    """Whether a message is nothing but a yes or a no to a person who was offered."""
    folded = simplified(text)
    if len(folded) > _LIMIT:
        return None
    if _THUMB.fullmatch(folded):
        return "yes"
    plain = _MARKS.sub(" ", folded).strip()
    tight = plain.replace(" ", "")
    if _NO.fullmatch(plain) or _ZH_NO.fullmatch(tight):
        return "no"
    return "yes" if _YES.fullmatch(plain) or _ZH_YES.fullmatch(tight) else None


def offers_person(part: Part) -> bool:
    """Whether what is said of it asks whether a person shall take over."""
    decision, rule = part.decision, part.decision.rule
    chosen = decision.chosen
    if decision.kind == "smalltalk":
        return chosen is not None and not chosen.approved and chosen.intent in ASKING_TALK
    return (decision.kind == "unknown" and rule in _ASKING_RULES) or (
        decision.kind != "person" and rule in _ASKING_ACTIONS
    )

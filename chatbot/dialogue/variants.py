"""A bare question for another variant of what was just spoken of: "and the blue one?", 大号的呢？

It asks on about the same thing; by its few words alone it is near to whatever article has a blue light. So it is
answered from what was spoken of, where that names the variant, and is else not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.dialogue.trace import Hit
from chatbot.language.normalise import fold

_COLOURS = (
    "red|blue|green|black|white|yellow|gr[ea]y|pink|purple|orange|brown|beige|silver|gold(?:en)?|copper|navy"
)
_SIZES = "small|medium|large|big|mini|x{0,3}[sl]|(?:extra|x)[- ]large"
_MATERIALS = "wood(?:en)?|steel|leather|plastic|glass|ceramic|cotton|metal|aluminium"
_ASKED = re.compile(
    r"(?:(?:and|but|so|or|ok|okay|also|then|what about|how about)[, ]+)*(?:(?:is it )?(?:for|in|with) )?(?:the |an? )?"
    rf"(?P<en>{_COLOURS}|{_SIZES}|{_MATERIALS})(?: (?:one|ones|version|model|variant|colou?r|size|kind))?(?: then)?\W*"
    r"|(?:那么?|还有|请问|要是|换成|如果是)*(?:[深浅](?=[^色]色))?(?P<zh>[红蓝绿黑白黄灰粉紫橙棕银金]|[大中小](?=[号码款]))"
    r"(?:色|号|码|款|版)*的?(?:那[个款种件台只])?(?:呢|怎么样|也?可以吗|也?行吗|也?一样吗)?\W*"
)


def variant_asked(text: str) -> str | None:
    """The colour, size or material that the message asks for and says nothing else; None: it says something else."""
    match = _ASKED.fullmatch(fold(text))
    return (match["en"] or match["zh"]) if match else None


def naming(variant: str, passages: Sequence[Hit]) -> Hit | None:
    """The first passage that names the variant."""
    word = re.escape(variant)
    found = re.compile(word if variant > "\u3400" else rf"\b{word}\b")
    return next((hit for hit in passages if found.search(fold(hit.text))), None)

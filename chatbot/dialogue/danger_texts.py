"""What is said at a danger to life, before a person takes over. A site may say it in its own words, with the numbers
of its own country (SiteOptions.danger_texts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

RULE = "danger"  # its name in the trace, and the reason that agents see at a handover
LONGEST = 600  # characters of a text

DANGER_TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "fire": "If you can do so safely, unplug the device or switch off the power at the fuse box, and keep away "
        "from it. Do not pour water on it. If there are flames or smoke does not stop, leave the room and "
        "call your local emergency number (112 in the EU, 119 in China).",
        "gas": "Please go outside at once and take everybody with you. Touch no switches, use no phone indoors and "
        "light nothing. From outside, call your local emergency number (112 in the EU, 119 in China) or "
        "your gas supplier.",
        "shock": "Please do not touch the device. Switch off the power at the fuse box before you unplug it, and do "
        "not use it again. After an electric shock see a doctor, even if you feel well; if somebody is "
        "unconscious or has chest pain, call your local emergency number (112 in the EU, 120 in China).",
        "poison": "Please call your local poison centre or a doctor now, and have the package at hand. Do not make "
        "anybody vomit. If something got into the eyes, rinse them with water for 15 minutes. If somebody "
        "is drowsy, in pain or breathes badly, call your local emergency number (112 in the EU, 120 in "
        "China).",
        "injury": "Please look after the injury first. Cool a burn for 10 to 20 minutes under lukewarm running water; "
        "press a clean cloth on a wound that bleeds. If it is severe, or in doubt, call your local "
        "emergency number (112 in the EU, 120 in China) or see a doctor.",
        "self_harm": "I am very sorry that you feel this way. You do not have to go through this alone. Please talk to "
        "somebody now: somebody you trust, a crisis line, or your local emergency number (112 in the EU, "
        "120 in China).",
    },
    "zh": {
        "fire": "请在确保安全的前提下拔掉插头或关闭总电源，并远离设备，不要往上面泼水。"
        "如果有明火或持续冒烟，请立即离开房间并拨打当地紧急电话（中国 119，欧盟 112）。",
        "gas": "请立即带所有人到室外。不要触碰任何开关，不要在室内打电话，不要点火。"
        "到室外后请拨打当地紧急电话（中国 119，欧盟 112）或联系燃气公司。",
        "shock": "请不要再触碰设备。先在配电箱关闭电源，再拔掉插头，并停止使用。"
        "触电后即使感觉没事也请就医；如有人失去意识或胸痛，请立即拨打当地急救电话（中国 120，"
        "欧盟 112）。",
        "poison": "请立即联系当地中毒急救中心或医生，并准备好产品包装。不要催吐。如果溅入眼睛，"
        "请用清水冲洗 15 分钟。如果出现嗜睡、疼痛或呼吸困难，请立即拨打当地急救电话（中国 120，"
        "欧盟 112）。",
        "injury": "请先处理伤口：烫伤请用流动的凉水冲洗 10 到 20 分钟；出血请用干净的布按压。"
        "如果情况严重或无法判断，请拨打当地急救电话（中国 120，欧盟 112）或尽快就医。",
        "self_harm": "听到您这样说，我很难过。您不必一个人承受。请现在就和人聊一聊：您信任的人、心理援助热线，"
        "或拨打当地紧急电话（中国 120，欧盟 112）。",
    },
}
_HANDS_OVER = {
    "en": "A colleague is being called and can read what you wrote here.",
    "zh": "我正在为您转接同事，对方能看到您刚才写的内容。",
}


def danger_text(kinds: Sequence[str], lang: str, own: Mapping[str, Mapping[str, str]]) -> str:
    """What to do, for the two most pressing of ``kinds``, and that a person is called. ``own``: the site's own texts,
    by language and kind."""
    lang = lang if lang in DANGER_TEXTS else "en"
    told = [own.get(lang, {}).get(kind) or DANGER_TEXTS[lang][kind] for kind in kinds[:2]]
    return "\n\n".join([*told, _HANDS_OVER[lang]])

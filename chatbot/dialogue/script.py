"""Traditional characters as simplified ones, for what is compared by rule: one list of words serves both scripts."""

from __future__ import annotations

from chatbot.language.normalise import fold

_TRADITIONAL = (
    "轉個給機員務說話聯繫請們問幫換溝專沒嗎電別讓來還會時間點號碼裡裏與過為麼親無須從營業費養審謝煩當經領導闆負責見喚嘍囉對認"
    "確後這邊誰聰聽訂單貨錢買賣應該選項頭兩東題廢爛歡厲強貼慣譜試樣關係處線頁顯樂愛極簡實際網測驗條覺"
    "訴開講氣動腦錯誒語義識讀寫術"
)
_SIMPLIFIED = (
    "转个给机员务说话联系请们问帮换沟专没吗电别让来还会时间点号码里里与过为么亲无须从营业费养审谢烦当经领导板负责见唤喽啰对认"
    "确后这边谁聪听订单货钱买卖应该选项头两东题废烂欢厉强贴惯谱试样关系处线页显乐爱极简实际网测验条觉"
    "诉开讲气动脑错诶语义识读写术"
)
_MAP = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def simplified(text: str) -> str:
    """Folded, in simplified characters, with a straight apostrophe; as long as the folded text."""
    return fold(text).translate(_MAP).replace("’", "'")

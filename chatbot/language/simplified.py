"""Traditional characters as simplified ones, sign by sign: for rules that are written in simplified characters.

Only characters that such rules read are here; a text keeps its length, so that places found in it hold in both.
"""

from __future__ import annotations

from chatbot.language.normalise import fold

_TRADITIONAL = (
    "機煙燒燙傷電觸壺線漏誤喝藥劑體氣處媽兒對麼這個們殺過麵著聞爐竈開關噴濺劃斷頭樓還沒來會讓說話請問給從"
    "後訴訟費師協騙詐償號碼單卡買東錢訂貨壞爛憤態夠離譜無聯繫舉報監督場發媒顧客戶結嗎幾時間點種難腳膚臉鐵"
    "鍋殘潔濃膠鹼險插糊味臟髒勁續誰動轉寶嗆嚥視網權錄賬冒別輕熱髮嚴義價農沖衝務勸賣員殼盡屬豈幣帶廣應檢測"
    "滌愛爺貓環現鹽盤統維脹腦補裝見議記詢該購貴資達進郵裡裏銀錯鏡陣飯飲馬龍車軟輛適嚨惡"
)
_SIMPLE = (
    "机烟烧烫伤电触壶线漏误喝药剂体气处妈儿对么这个们杀过面着闻炉灶开关喷溅划断头楼还没来会让说话请问给从"
    "后诉讼费师协骗诈偿号码单卡买东钱订货坏烂愤态够离谱无联系举报监督场发媒顾客户结吗几时间点种难脚肤脸铁"
    "锅残洁浓胶碱险插糊味脏脏劲续谁动转宝呛咽视网权录账冒别轻热发严义价农冲冲务劝卖员壳尽属岂币带广应检测"
    "涤爱爷猫环现盐盘统维胀脑补装见议记询该购贵资达进邮里里银错镜阵饭饮马龙车软辆适咙恶"
)
_SIMPLIFIED = str.maketrans(_TRADITIONAL, _SIMPLE)


def plain(text: str) -> str:
    """``text`` folded, in simplified characters, with straight apostrophes."""
    return fold(text).translate(_SIMPLIFIED).replace("’", "'")

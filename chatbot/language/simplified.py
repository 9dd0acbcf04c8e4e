"""Traditional characters as simplified ones, sign by sign: for rules that are written in simplified characters.

Only characters that such rules read are here; a text keeps its length, so that places found in it hold in both.
"""

from __future__ import annotations

from chatbot.language.normalise import fold

_TRADITIONAL = (
    "機煙燒燙傷電觸壺線誤藥劑體氣處媽兒對麼這個們殺過麵著聞爐竈開關噴濺劃斷頭樓還沒來會讓說話請問給從後訴"
    "訟費師協騙詐償號碼單買東錢訂貨壞爛憤態夠離譜無聯繫舉報監場發顧戶結嗎幾時間點種難腳膚臉鐵鍋殘潔濃膠鹼"
    "險臟髒勁續誰動轉寶嗆嚥視網權錄賬別輕熱髮嚴義價農沖衝務勸賣員殼盡屬豈幣帶廣應檢測滌愛爺貓環現鹽盤統維"
    "脹腦補裝見議記詢該購貴資達進郵裡裏銀錯鏡陣飯飲馬龍車軟輛適嚨惡幫換溝專與為親須營業養審謝煩當經領導闆"
    "負責喚嘍囉認確邊聰聽選項兩題廢歡厲強貼慣試樣係頁顯樂極簡實際驗條覺講誒語識讀寫術運歐塊鐘週"
)
_SIMPLIFIED = (
    "机烟烧烫伤电触壶线误药剂体气处妈儿对么这个们杀过面着闻炉灶开关喷溅划断头楼还没来会让说话请问给从后诉"
    "讼费师协骗诈偿号码单买东钱订货坏烂愤态够离谱无联系举报监场发顾户结吗几时间点种难脚肤脸铁锅残洁浓胶碱"
    "险脏脏劲续谁动转宝呛咽视网权录账别轻热发严义价农冲冲务劝卖员壳尽属岂币带广应检测涤爱爷猫环现盐盘统维"
    "胀脑补装见议记询该购贵资达进邮里里银错镜阵饭饮马龙车软辆适咙恶帮换沟专与为亲须营业养审谢烦当经领导板"
    "负责唤喽啰认确边聪听选项两题废欢厉强贴惯试样系页显乐极简实际验条觉讲诶语识读写术运欧块钟周"
)
_MAP = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def simplified(text: str) -> str:
    """``text`` folded, in simplified characters, with straight apostrophes; as long as the folded text."""
    return fold(text).translate(_MAP).replace("’", "'")

"""Words that chatbot/language/names.py decides by, beside the lists of names: further given names, names that are also
words, and words that stand where names stand and are none."""

from __future__ import annotations

# given names that the lists of chatbot/language/name_lists.py lack
_GIVEN = """
abebe adaobi adeola agus akash akiko amadou ananya anil anjali arun ashok asif aslı ayse ayumi bartosz basia basma
batul berk bilal bogna bronwen budi caspian catarzyna chandni chen chidi chika chinonso cian corinne crispin daiki
davo dawit deepak deepika dewi dilip dimitra dinesh djamila dmitry doan duc ebele ece efua elspeth emiko eun-ji
eylem fadi faisal fatou fatoumata femi ferran fiadh finlay ganesh gaz ginevra giorgos gosia hadiza hanako hanif
haruka haruto hemant hicham hiroko hitomi huong hyun-woo ichiro ilya jago jagoda janek jarek jette jiang jiho jisoo
jocasta joon juhi julek jun junaid kasia kaveh kavita kayode keiko kenta khadija khanh kiran kirill kostas kseniya
kuba kunal kyoko lerato levent ling lior lubna mahesh makoto manish manoj marloes mayumi mbali mehwish mei merve
miki minjun mithra mohan morag mukesh naina naledi naoki naoko neelam nguyet nkechi noriko noura nurul oksana olek
olumide oluwaseun onyeka ottoline ousmane padma panos parvati petronella phiri piers pragya prakash pratik priti
przemek putri rabia raj rajesh rakesh ramesh rania ravindra reem ritu rohit ruud saeed saira saman sana sandeep
sandhya sangita sanjay satish satoshi sefa seoyeon serap shabnam shahid shanti sharifa shazia sheetal shirin shu-fen
sita siti sneha somchai soumaya stelios suki sumit sunil sunita suresh swati tadhg taisha takeshi takumi tamsin
taras taye tendai thabo thandi thulani thuy tijana timur tomoko trang trinh tuncay umesh usha uzma vaishali vandana
varun vidya vijay vikas vikram vinay vinod vishal vivek vusi wahid waleed wei wendeline wojtek xanthe yiannis yildiz
yohannes yoko youssef yuki yuko yuliya yumi yuna yusra yuto zanele zeynep zhanna ziad zosia zsofia zuri
andie becca biddy bridie cammy cath dougie gabby gabs izzy jimbo kath kev lauz livvy maddie mags maisie matty maz
mikey nige shaz simmo soph steph stace stu sukie tiff viv
"""
GIVEN_NAMES = frozenset(_GIVEN.split())

# names that are also something else (a month, a town, a plant, a word): they need a place that says so
_AMBIGUOUS = """
abbey ace add adelaide al alexa alexandra alexandria ali ally almond alpha amber america ami among an angel apollo
archer arlington art asia athena atlas august aurora austin author autumn avon baby bala ban banks bare baron basel
basil bass bath bean beat bee beer bell bent bentley bergen berlin best bill bird bishop black blessing bliss block
bo bosch boss boston bradford brain branch brand brandy braun bridge bristol brook brooke brooklyn brooks brown
bruno buck bud buddy bull burger bush butler caesar camp can canal candy canyon cap captain car carol carolina carry
case cases cash chad chance charity charlotte chase cher cherry chester chin china chip christian chuck church cielo
clay clear cleveland cliff close cock cody cole columbus comfort con constance constant cook cooper coral cord cordoba
core corona crane cross crystal cuba curry dahlia daisy dakota dale dallas dam dare dash dave dawn day deacon dee
deep dell delta den denver destiny dev diamond doc dock doctor dominic don dot dove drake drew drum duke durham
dusty earl early easter echo eden edit elder els else ember emerald en english era es eve ever fair faith fall fancy
farmer fate fed fee felicity field fields fisher fleet flo flood floor florence florida foot ford forest forum
foster fox france franklin french fresh friend frost fry gale gauge gay general geneva gent georgia german gibson
ginger glass golden good gore grace grand grant gray green greet grey grill grove guard gun gut guy hall ham hammer
hand handy hardy hare harm harmony harry hart haven hay heath heaven held hence herb herd hermes hill holder hong
hood hook hope horn house houston hull hung hunt hunter ima india indiana infant ireland israel ivory ivy jackson
jade jail jan january jet jewel job joke jordan journey joy judge jug june junk justice kenya key kia kick kidd king
kingston kirk kiss kit kitty knight kohl lady lamb lancaster lance lane lara lark law lawyer lean lee lemon les less
levi levis levy lexus liberty lies lin lincoln line link lisa-marie list little lo loan logan london lone long lord
lot lourdes love low lower loyal lucky luna lyon lyric mac mace macy mad made madison madrid major mal male mall man
mandy manila manly marine mark marks marquis mart mary mason mast master mate math max may media mee mel melody
memphis mercedes merchant mercy merry metro milan mile miles minor miracle misty moe monk moon moor more morgan moss
mule must my nail neo noble north nurse oak odd odin ola olive olympia om opal ora orange orlando over owe pace page
pal palm pandora paris park parts pat patience paw peace pearl peck peer penny pepper per philips phoenix pierce
pike pink piper pleasant poland pop pope poppy porsche porter porto post power precious press preston price prince
princess prudence purity queen quill raleigh ram rand randy raven ray reader real reason red reed reid rey rice rich
richmond ridge ring rio river rivers rob robin rock rod roe roger roll romaine roman rome room rosa rose ross royal
royce ruby rush russell rust rusty sad sage said saint sal sales sandy sante santiago savannah sawyer scott serenity
server sever shade sharp shay sherry shine short side silk silver sim sincere sing singer siri sister skip skoda sky
skylar small smart snow sol sole son soon spain spring stack star sterling stock stone storm stormy stout street
strong sue summer sunday sunny sunshine swift sydney tab tack tad tai tank tanner tate tea texas til till tiny tone
toy trace trenton trinity true turner ty ula unique unknown urban us vain valencia van venice venus verona versa vi
victoria vida violet virginia vita wade wage wall ward ware wash washington water waters way wayne weeks wei wells
were west white wild will windy wing winter wise wolf wood woods worth wren yoga york young yu
"""
AMBIGUOUS_NAMES = frozenset(_AMBIGUOUS.split())

# given names that are towns first: two capitals do not make them people
_CITIES = """
berlin london paris milan rome vienna geneva boston austin dallas houston denver phoenix sydney melbourne
adelaide florence verona valencia cordoba santiago lourdes charlotte cleveland columbus memphis madison orlando
savannah brooklyn chester lincoln bristol york durham lancaster lyon nice bath troy trenton washington arlington
india china ireland israel jordan kenya cuba georgia carolina virginia indiana dakota texas florida montana
america asia
"""
CITIES = frozenset(_CITIES.split())

# in the lists, and in a message never a name
_NEVER_NAMES = """
an my can us add per said else ever less till carry little reason among hung unknown versa general line loan
price doctor job bill's case cash park card early long much more day year week car truck phone order german
english french dutch danish polish irish welsh scots british american chinese indian best good great bad new big
small also any are and but by for from he her his how if in is it its me no not now of on or our out over she so
that the their them they this to too was we were what when where which who why with you your al el de la le van
von do don't did does has have had made make may's say see sent id iban nino come bye goodbye ai nan going
coming bonjour hola hallo welcome ask told wait back just only even very really
"""
NEVER_NAMES = frozenset(_NEVER_NAMES.split())

# what follows "Hi", "I'm" or "Thanks" without being a name
_NOT = """
a able about account actually address admin advance afraid africa again agent agents ah all allowed already
alright also although always am amazing amazon america american amex an and angry annoyed another any anybody
anyone anything anyway app apple april are aren't as asap asia asking assistance assistant at attention august
australia available aware away awesome back bad bank basic because been before beige belgium besides best
billing black blue bonus boss bot both brilliant british bro btw buddy busy but buy buyer by calling can can't
cancel cancelled cannot card certain change chat chatbot cheers chief china chinese christmas city click client
clients closed code coffee colleague coming complaint complaints completed computer confirmed confused
congratulations contact contacting cool could couldn't country coupon courier crypto currently customer
customers danish date day days dear december delayed delivered delivery dhl did didn't disappointed disgusting
dispatch dispatched do does doesn't doing don't done dpd dr driver dude due dutch east easter easy edition eight
either email emailing employee england english eu europe european evening ever everybody everyone everything
excellent excuse faithfully fantastic february fedex finally fine first firstly five folks follow-up followup
for four france french friday friend friends from frustrated furthermore fw fwd fyi gentlemen german germany
getting gift glad gls go going gold gonna good google got great green grey guest guys had half halloween happy
has hasn't have haven't having he hello help her here here's hermes hey hi him his home honey hope hoping
horrible hour hours how however hun i i'd i'll i've if im in india instead interested into invoice ireland irish
is isn't issue it italian italy item items its ive january japan july june just kc kind kindly klarna know
ladies last lastly late later let let's like link lite login looking lost love lovely ma'am maam machine madam
mail manager managers many march mastercard mate max may maybe me meanwhile member members message messaging
midnight might mine mini minute minutes miss mobile model monday month more moreover morning most mr mrs ms much
my nah navy nb need netherlands never new nice nine no nobody none noon nope north norwegian not nothing
november now number october of off ok okay okey old on one online only onto opened or orange order orders other
otherwise our out over package packing page paid pal parcel password pay payment payments paypal pending people
perfect phone pink please plus poland polish portuguese possible post postman premium privacy pro problem
processing product ps purple question quick quite re ready really receipt received red refund refunded refunds
regarding regards representative resolved respected return returned returning returns ridiculous right robot
royal sad sales same saturday say scotland second secondly see seller sending september service seven shall she
shipped shipping shop shopper should shouldn't silver since sincerely sir sir/madam sirs six so some somebody
someone something soon sorry south spain spanish staff standard still stop stripe stuck such sunday super
supervisor support sure swapped swiss team tech tel telephone ten terrible thank thanks thanksgiving that that's
the their them then there there's therefore these they they're they've thing third this those though three
thursday to today tomorrow tonight too track truly trying tuesday two uk ultra unable unacceptable under
unfortunately unsure until up update upon ups upset urgent urgently us usa using valentine valued version very
visa void voucher waiting wales want wanted warehouse was wasn't we we'll we're we've website wednesday week
weekend welcome well were west what what's when where which while white who who's whoever why wishes won't
wonderful wondering world would wouldn't writing wrong yeah year years yellow yep yes yesterday yet you you're
you've your yours yup
"""
NOT_NAMES = frozenset(_NOT.split())

# the most common surnames, and further ones that are also everyday words
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵覃武钱戴严莫孔向"
    "汤温康施洪乔邢樊倪俞颜华聂章鲁岳柳殷庄骆耿申葛欧阮翟高"
)
TRADITIONAL_SURNAMES = (
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓鄧馮蕭蔣餘葉蘇呂盧鍾鐘譚陸韋賈鄒閻龍賀顧龔錢嚴湯喬顏聶魯莊駱歐齊"
    "萬項畢關葛溫連紀簡詹游邱賴柯塗鄔闕饒鮑鄢"
)
RARER_SURNAMES = "于傅万常文牛柯梅盛童甘安伍祝左齐焦祁游舒单冉鲍卜尤司易路毕关詹霍屈瞿蓝符裴涂季窦蒲明成"
# further ones of the Hundred Family Surnames, where a place leaves no doubt that a surname stands there
RAREST_SURNAMES = "酆锺钮荀羿汲邴糜牧隗宓郗韶蓟鄂莘逄宰郦璩濮郏宦庾暨殳蔚夔厍訾乜巢蒯竺桓仉缑佴谯笪"

# names of people that are names of goods, firms and holidays: nobody's own
_BRANDS = """
michael kors / hugo boss / jack daniel / calvin klein / tommy hilfiger / ralph lauren / karl lagerfeld / paul
smith / ted baker / marc jacobs / kate spade / tory burch / jimmy choo / johnnie walker / harry potter / hello
kitty / jack wolfskin / philip morris / peter pan / santa claus / mary jane / charlotte tilbury / bobbi brown /
estée lauder / estee lauder / elizabeth arden / max factor / max mara / jo malone / laura ashley / john lewis /
john deere / jean paul / yves rocher / yves saint / james bond / mickey mouse / donald duck / barbie doll / ben
jerry / uncle ben / aunt jemima / betty crocker / earl grey / levi s / levi jeans / martin luther / san
francisco / san diego / san jose / santa cruz / santa monica / los angeles / jack jones / eddie bauer / johnson
johnson / ernst young / morgan stanley / charles schwab / wells fargo / alexander mcqueen / christian dior /
oscar mayer / victoria secret / victoria's secret / st george / alfa romeo / aston martin / stanley cup / ella
paradis / palo alto / beverly hills / chase field / las vegas / steve madden / perry ellis / vera wang / nina
ricci / lewis hamilton / roland garros / elvis presley / taylor swift / dr martens / dr pepper / dr oetker /
mr muscle / mr clean / mrs meyer /
"""
BRANDS = frozenset(" ".join(name.split()) for name in _BRANDS.split("/"))

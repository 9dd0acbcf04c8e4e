"""Words that chatbot/language/names.py decides by: common given names, words that stand where names stand and are
none, and Chinese surnames."""

from __future__ import annotations

_GIVEN = """
aaron abdul abigail adam adele adrian agnes ahmed aisha alan albert alejandro alex alexander alexandra alexis
alfred ali alice alicia alison amanda amber amelia amina amir amy ana anastasia andre andrea andreas andrew
andy angela anita ann anna anne annie anthony antonio arjun arthur ashley astrid audrey barbara beatrice ben
benjamin bernard beth betty bianca bill billy bob bogdan boris brandon brenda brian bridget bruce camille carl
carla carlos carmen carol caroline catherine cecilia charles charlie charlotte chen chloe chris christian
christina christine christopher claire clara claudia colin connor craig cristina cynthia daan daisy dan daniel
daniela danny dave david deborah dennis derek diana diane diego dmitri dominic donald donna doris dorothy
douglas dylan edgar eduardo edward elaine eleanor elena elizabeth ella ellen emil emily emma eric erik erin
esther ethan eva evelyn fatima felix fernando fiona florian frances francesca francesco francis frank fred
frederik gabriel gary gavin george gerald gerard giovanni giulia gloria gordon greg gregory guillaume gustav
hannah hans harold harriet harry hassan heather hector heidi helen helena henk henry holly howard hugh hugo
ian ibrahim igor imran ingrid irene isaac isabel isabella ivan jack jackie jacob jade jake james jamie jan
jane janet janice jason javier jay jean jeff jeffrey jenna jennifer jenny jeremy jerry jesse jessica jim joan
joanna joao joe joel johan johanna john johnny jonas jonathan jordan jorge jose josef joseph josh joshua joyce
juan judith judy julia julian julie jurgen justin karen karin karl kate katherine kathleen kathryn katie katja
kayla keith kelly ken kenneth kevin kim kimberly klaus kristen kyle lara lars laura lauren laurence lea leah
lee lena leo leon leonard lewis li liam lily linda lisa logan lois lorenzo louis louise luca lucas lucia lucy
luis luke lukas lydia maarten madison maggie malcolm marc marco marcus margaret maria marie marijke marina
mario marion marlene martha martin martina mary mateo matt matteo matthew matthias maureen max maya megan mei
melanie melissa mia michael michaela michele michelle miguel mike mila mohamed mohammed molly monica monika
morgan nadia nancy naomi natalia natalie natasha nathan neil nicholas nick nicola nicole nigel niklas nina
noah noor nora norman olga oliver olivia omar oscar owen pablo pamela patricia patrick paul paula pauline
pedro peter petra philip philippe phoebe pierre pieter piotr priya rachel rafael rahul raj ralph ramon raymond
rebecca renate ricardo richard rick rita rob robert roberto robin rodrigo roger roland ronald rosa rosie ross
roy ruben russell ruth ryan sabine sally sam samantha samuel sandra sanjay sara sarah scott sean sebastian
sergei shane shannon sharon sheila simon simone sofia sonia sophia sophie stacy stefan stella stephanie
stephen steve steven stuart sue susan susanne suzanne sven sylvia tamara tanya tara teresa terry theo theresa
thijs thomas tim timothy tina tobias todd tom tommy tony tracy travis trevor tyler ursula marta agata
aleksandra anja anneke bart bas bea birgit bram chiara dariusz dirk dorota elif elke emre ewa fatma femke
frida gosia greta hana hiroshi ines jana jeroen jolanda joost joris jos katarina katarzyna kenji kerstin koen
krzysztof lieke lotte lucie maja maciej magda malgorzata marek mariana marloes mehmet milena mirjam nils noa
oksana pavel petr piet rosalind rui ruud sander sanne sarita sebastiaan sigrid sofie stijn svetlana tadeusz
tomasz tomas ulrike wouter yuki yuko zofia annelies bartholomew tendai valentina valerie vanessa vera veronica
victor victoria vincent viktor vivian walter wanda wayne wei wendy werner wilhelm willem william wolfgang
xavier yasmin yusuf yvonne zachary zara zoe ravi deepak sunil anil amit arun ashok kavita lakshmi manoj neha
nikhil pooja prakash rajesh rakesh rohan sandeep sita suresh vijay vikram aoife callum saskia agnieszka
beatriz elodie pascal desmond siobhan niamh eoin ciaran rhys gareth angus fergus morag catalina esteban
gonzalo joaquin mateus thiago leticia camila ximena ngozi chidi kwame amara zainab fatou ousmane layla karim
tariq samir nabil huda leila reza farid dmitry sergey olena taras yulia ilya kirill mikhail nikita haruto
sakura takeshi akira minh linh thuy phuong wojciech pawel barbora vaclav zdenek laszlo zoltan eszter andras
ioana mihai radu cem deniz burak
"""
GIVEN_NAMES = frozenset(_GIVEN.split())

# given names that are also something else (a month, a town, a plant, a word): they need a place that says so
_AMBIGUOUS = """
albert alexandra alma amber angela april art ash august austin bill bob bruno carol charlotte chase christian
daisy dale dave diana dominic drew eden eve faith felix florence frances francis frank georgia grace grant guy
harry heather hector holly hope iris ivan ivy jack jade jasmine jay jean jersey jordan joy june kelly ken kim
lance lara lee leo li lily logan lois louis madison marc mark martin mary max may mercedes mia mike milan
miles mohammed morgan nick noel norman olive oscar pat paul paris pearl penny peter pierce ralph ray rich rob
robin rod roger roman rosa rose ross ruby russell rusty sam sandy scott sharon sidney skip sky stella sterling
sue summer sunny sydney terry tony troy vera victor victoria violet wade wayne wei will winter york zoe lea
dan ian ann eva noor
"""
AMBIGUOUS_NAMES = frozenset(_AMBIGUOUS.split())

# what follows "Hi", "I'm" or "Thanks" without being a name
_NOT = """
a about account actually admin again agent ah all also am an and another any anybody anyone anything are as at
back bad been because before best bot but buy by can cannot cheers chat click colleague coming could customer
customers day days dear delivery did do does doing done dr due easy either english everyone everybody evening
excuse fine first folks for friend friends from fyi getting glad go going gonna good got great guys had happy
has have having he hello help her here hey hi him his hope how however i if im in interested into is issue it
its ive just kind kindly know last late later let like looking lost love ma'am maam madam many may maybe me
message might mine miss more morning most mr mrs ms much my need new no nobody not nothing now of off ok okay
on one online only onto or order orders other our out over parcel people perfect please possible problem
question quick quite re ready really refund regarding regards return right sad sales same say see service
shall she shop should since sir sirs so some somebody someone something soon sorry still stuck such sure
support tech team thank thanks that the their them then there these they thing this those though to today
tomorrow tonight too trying unable under unfortunately until up update upset upon us using very waiting want
wanted was we week well were what when where which while who why wondering world would writing wrong yeah yes
yesterday yet you your yours monday tuesday wednesday thursday friday saturday sunday january february march
april june july august september october november december dutch german french spanish italian chinese british
american european irish polish portuguese swiss norwegian danish amazon paypal google apple visa mastercard
assistance advance email mail phone tel mobile address number telephone contact date city country card bank
amex kc dispatched delivered delayed packing received change paid shipped cancelled returned refunded
processing track cancel void bonus privacy already crypto swapped standard lost stop
"""
NOT_NAMES = frozenset(_NOT.split())

# the most common surnames, and further ones that are also everyday words
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵覃武钱戴严莫孔向"
    "汤温康施洪乔邢樊倪俞颜华聂章鲁岳柳殷庄骆耿申葛欧阮翟高"
)
RARER_SURNAMES = "于傅万常文牛柯梅盛童甘安伍祝左齐焦祁游舒单冉鲍卜尤司易路毕关詹霍屈瞿蓝符裴涂季窦蒲明成"

"""Words that tell chatbot/language/names.py that a name stands here: titles, relations, greetings, signatures.

Small letters; what is a name itself, or looks like one, is in chatbot/language/name_words.py.
"""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _set(
    "mr mrs ms miss mx dr prof professor mister herr frau fräulein monsieur madame mme mlle señor señora sr sra srta "
    "signor signora meneer mevrouw dhr mevr pan pani"
)
PARTICLES = _set("van de der den von la le bin al el da dos di du del ter ten zu af ibn ben della y e")
LABELS = _set(
    "name names recipient cardholder holder addressee attn attention nachname vorname surname consignee sender "
    "receiver payee beneficiary"
)
RELATIONS = _set(
    "husband wife son daughter mother father mum mom dad sister brother aunt uncle cousin grandmother grandfather "
    "nephew niece grandson granddaughter fiancé fiancée fiance girlfriend boyfriend partner friend neighbour neighbor "
    "flatmate roommate housemate tenant landlord landlady colleague coworker co-worker boss manager assistant "
    "accountant receptionist driver courier technician engineer plumber agent advisor adviser rep representative "
    "caretaker concierge doorman guy lady kid kids nanny secretary intern supervisor teammate man woman gentleman "
    "someone somebody person employee cc ask"
)
_PAIRS = """
spoke_to spoke_with speaking_to speaking_with talked_to talked_with talking_to chatting_with chatted_with
chat_with speak_to speak_with talk_to asked_for ask_for told_by served_by helped_by signed_by received_by
ordered_by booked_by placed_by paid_by picked_by sent_by accepted_by collected_by assigned_to addressed_to
registered_to made_under booked_under ordered_under belongs_to behalf_of attention_of name_of names_of name_on
name_to certain_m me_to care_of assisted_by approved_by promised_by signed_for for_by dealt_with it_to over_to
me_as him_as her_as
"""
BY = frozenset(tuple(pair.split("_")) for pair in _PAIRS.split())
GREETINGS = _set("hi hiya hello hey dear morning afternoon evening hallo bonjour hola ciao howdy yo")
ACKNOWLEDGEMENTS = _set(
    "thanks thank thx ok okay yes yeah yep no sure perfect great sorry welcome cheers understood alright bye goodbye "
    "congratulations apologies apology nice excellent right brilliant lovely back there problem thing day"
)
CLOSERS = _set(
    "regards sincerely cheers thanks thx wishes best greetings truly faithfully grüßen grüssen "
    "gruß grüße grüsse mfg lg "
    "cordialement saludos atentamente groet groeten groetjes saluti obrigado obrigada merci gracias advance again "
    "xx xoxo you yours love hugs danke bedankt regard respectfully ta signed greetz groetjes tschüss"
)
SAID = _set(
    "said told promised here speaking wrote signed confirmed answered replied phoned rang emailed called helped picked "
    "collected assured explained mentioned claimed advised ordered bought paid asked says and or again writing from"
)
PRESENTING = _set("i'm i’m im it's it’s")
PLACES = _set(
    "street road avenue lane station park city airport hotel bank college university house hospital school church "
    "mall stadium square theatre theater centre center county beach island bridge tower museum drive close gardens "
    "grove terrace place court way hill st rd ave shop store branch office warehouse area district region zone"
)
MONTHS = _set(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday"
)

"""Texts that only resemble an opt-out ("take me off the list"), or that say the number is not the contact's ("who is this?").

Nothing follows from such a text by itself: a person reads it and decides. So the rules rather find a text too many than one too
few, but leave out what families write every day: "stop by the office", "cancel my appointment", "I didn't get the text".
They read the `normal_form` of a text, English and Spanish, with a little French.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from rapidfuzz.distance import OSA

from bot.domain.names import clean
from bot.providers.opt_out_keywords import OPT_OUT_WORDS, Keyword, keyword, normal_form
from bot.providers.receipt import FamilyText, OptOutMessage, ParsedReceipt, ReassignedNumber

# Longer ones are no replies to a mass message; the rules read only the beginning.
_LONGEST = 500


class Topic(StrEnum):
    """What a text may mean."""

    OPT_OUT = "opt_out"
    WRONG_PERSON = "wrong_person"


@dataclass(frozen=True)
class UnclearMessage:
    """A text that a person has to read. `phone` is E.164, `event_key` as in a receipt; the text is never logged."""

    provider: str
    event_key: str
    phone: str
    text: str = field(repr=False)
    topic: Topic


# What is stored of a callback.
Report = ParsedReceipt | OptOutMessage | ReassignedNumber | UnclearMessage


def read_text(message: FamilyText, *, own_words: Collection[str]) -> OptOutMessage | UnclearMessage | None:
    """Return what follows from a text, None if nothing does. `own_words` are the district's opt-out words."""
    sent_as = (message.provider, message.event_key, message.phone)
    if found := keyword(message.text, own_words=own_words):
        return OptOutMessage(*sent_as, opted_out=found is Keyword.OPT_OUT)
    about = topic(message.text)
    # Half of an emoji, which JSON can hold, cannot be stored.
    readable = clean(message.text[:_LONGEST]).encode("utf-8", "ignore").decode()
    return UnclearMessage(*sent_as, readable, about) if about else None


def topic(text: str) -> Topic | None:
    """Return what a text may mean, None for an ordinary one. A text that may be both is an opt-out."""
    text = text[:_LONGEST]
    # A reaction quotes our own text, which may say how to opt out.
    if _REACTION.match(text.strip()):
        return None
    words = " ".join(map(_without_typo, normal_form(text).split()))
    if _KEEP_GOING.search(words):
        return None
    if _STOP_SIGN.fullmatch(text) or _has_only_stop_words(words) or _is_typo(words) or _matches(_OPT_OUT, words):
        return Topic.OPT_OUT
    return Topic.WRONG_PERSON if _matches(_WRONG_PERSON, words) or _WRONG_NAME.search(text) else None


def _has_only_stop_words(words: str) -> bool:
    """Return whether the text has keywords and polite words only: `ok cancel now please`, `por favor pare`."""
    used = set(words.split())
    return not used.isdisjoint(_STOP_WORDS) and used <= _STOP_WORDS | _POLITE_WORDS


def _is_typo(words: str) -> bool:
    """Return whether the whole text is a mistyped keyword: `STPO`, `unsuscribe`."""
    word = words.replace(" ", "")
    return word not in _NO_TYPOS and any(OSA.distance(word, key) <= typos for key, typos in _TYPOS.items())


def _without_typo(word: str) -> str:
    """Return a word that people often mistype, spelled correctly, and any other word as it is."""
    if len(word) < _SHORTEST_TYPO:
        return word
    return next((spelled for spelled in _SPELLED if OSA.distance(word, spelled) == 1), word)


_REACTION = re.compile(
    r"(?i)(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|reacted .{0,9} ?to|removed an? \w+ from|"
    r"(?:a \w+ )?le (?:gust|encant)[oó]|se ri[oó] de|a aim[eé])\s*[\"“”«'].*",
    re.DOTALL,
)
_KEEP_GOING = re.compile(r"\b(?:dont|do not|never) (?:ever )?stop\b|\bno (?:paren?|dejen? de)\b")
_STOP_SIGN = re.compile(r"(?:[🛑⛔🚫\ufe0f]|\s)+")
_ALSO_STOP = "out para parad cancela cancelen cancelo parele parenle mute blocked reported junk"
_STOP_WORDS = OPT_OUT_WORDS | set(_ALSO_STOP.split())
_POLITE = """
    please pls plz plse just now it this that these all me us i we you u ok okay no yes yeah hey hi hello already need want would like
    to can could will thanks thank ty asap immediately forever everything here text reply as the a opt 1 2
    por favor ya porfavor porfa si gracias quiero todo mas svp sil vous plait merci
"""
_POLITE_WORDS = set(_POLITE.split())
# By how many typos a text of one word may differ from a keyword; and words that are no typos.
_TYPOS = {"stop": 1, "stahp": 0, "stopall": 1, "unsubscribe": 2, "cancel": 1, "revoke": 1, "optout": 1}
_NO_TYPOS = {"step", "shop", "top", "slop", "stow", "sop", "atop", "stomp", "stops", "cancels"}
# In a shorter word one typo makes another word.
_SHORTEST_TYPO = 4
_SPELLED = ("number", "equivocado", "wrong")


class _Rule(NamedTuple):
    """A text matches if it has `words`, and none of the `unless` that make it ordinary."""

    words: re.Pattern[str]
    unless: re.Pattern[str]


def _matches(rules: Iterable[_Rule], words: str) -> bool:
    return any(rule.words.search(words) and not rule.unless.search(words) for rule in rules)


def _rule(words: str, unless: str = r"(?!)") -> _Rule:
    """Compile alternatives of whole words; blanks around `|` are for reading."""
    words, unless = (re.sub(r"\s*\|\s*", "|", part) for part in (words, unless))
    return _Rule(re.compile(rf"\b(?:{words})\b"), re.compile(rf"\b(?:{unless})\b"))


_TEXTS = (
    "(?:text|texts|texted|texting|txt|txts|txting|message|messages|messaging|messaged|msg|msgs|msging|sms|contact|contacted|contacting|"
    "notification|notifications|alert|alerts|spam|spamming|subscription|robocalls|communications)"
)
_NUMBER = "(?:number|numbers|phone|cell|name|contact|info|information|contact information|phone number|cell number)"
_MENSAJES = "(?:mensaj\\w+|text(?:o|os|ee\\w*|ear\\w*)|sms|notificacion\\w*|alertas?|avisos|suscripcion)"
_MANDAR = (
    "(?:(?:mand|envi|llam|molest|contact|text)(?:e|en|es|ee|een|ees|ar|ear|ando)|escrib(?:a|an|as|ir|iendo)|llegu?en?|mensaje(?:en?|ar))"
    "(?:me|nos|le)?"
)

_OPT_OUT = (
    # "Stop" means the texts unless it is said of another person, or of a bus.
    _rule(
        "stop | stopped | stopp+ | quit | unsub\\w* | unsus\\w* | desuscri\\w* | discontinue | cease | revok\\w+ | stop\\w*end",
        "stop (?:by | in | at | off | over | light | sign | there | here | for | on | crying | is | was | and)"
        " | (?:bus | pit | non | next | first | last | different | which | what | that | his | her | my | our | rest) stop"
        " | (?:he | she | him | her | they | them | son | daughter | kids? | bus | buses | who | it | rain | driver) (?:\\w+ )?(?:to )?(?:stop(?:ped)? | quit)"
        " | (?:dont | do not | never) (?:ever )?stop | stop(?:ped)? (?:\\w+ing in | eating | crying | running | working) | quit (?:my | band | the)"
        " | (?:will | ill | we can) stop | to quit (?!text|messag|send)",
    ),
    _rule(
        "opt(?:ed | ing)? (?:(?:me | us | my number | this number) )?out | optout | optin",
        "form | (?:out | out of)(?: (?:the | this))?(?: \\w+)? (?:test\\w* | trip | class\\w* | exam | lunch | program | photo\\w* | ed | vaccin\\w+)",
    ),
    _rule(
        "(?:end | cancel\\w* | disable | deactivate | block | mute | turn off | shut off | kill | pause)(?: \\w+){0,4} "
        f"{_TEXTS} | turn (?:\\w+ )?{_TEXTS} off | turn (?:these | this | it | them) off | turn off$",
        "text me | message (?:me | for | about) | sign | (?:meeting | trip | practice | appointment)",
    ),
    _rule(
        "make (?:it | this | them | these | that | the \\w+) (?:stop | end) | cancel (?:me | my subscription | all | this | these | it all)$ | end (?:it | this | these)"
    ),
    _rule(
        f"(?:dont | do not | never | no longer | not to)(?: \\w+){{0,6}} {_TEXTS}",
        "(?:dont | do not | never)(?: \\w+)? (?:get | got | receive\\w* | see | saw | have | understand | know | think | remember | read | open | forget | mind | hear | let)"
        "(?! (?:to | any more))(?: \\w+)? | him | her | them",
    ),
    _rule(
        "(?:dont | do not | no longer)(?: \\w+)? (?:want | wanna | wish | like | need) (?:(?:to )?(?:be | get | receive | hear) | these | this | those | it | any of | them) | ^(?:i )?(?:dont | do not) want$",
        "(?:be | get | receive | hear) (?:late | home | sick | hurt)",
    ),
    _rule(
        "(?:dont | do not | never)(?: \\w+){0,2} (?:send | contact | call | bother | bug)(?: or \\w+)? (?:me | us | this | here | again | any\\w* | stuff | my)(?! (?:\\w+ )?home)",
        "(?:forget | let | hesitate)",
    ),
    _rule(
        f"no (?:more )?{_TEXTS}(?! (?:yet | from | today | came | about)) | no more {_TEXTS} | no (?:more )?\\w+ {_TEXTS}",
        "(?:from | about) (?:his | her)",
    ),
    _rule(
        "leave group | no more of (?:this | these | those) | ^(?:please )?no more(?: (?:please | pls | thanks))?$ | ^(?:enough | thats enough texts)(?: (?:is enough | already | with .* | of .*))?$ | not interested"
    ),
    _rule(
        f"(?:too many | so many | tired of | sick of | done (?:with | getting) | fed up | why (?:am i | are you | do i | do you))(?: \\w+){{0,4}} {_TEXTS}"
    ),
    _rule(
        "(?:never | didnt | did not | dont | do not | no | revoke | withdraw | rescind | without)(?: \\w+){0,3} "
        "(?:sign up | signed up | subscribe\\w* | consent\\w* | permission | agree | agreed | authoriz\\w+ | ask for (?:this | these))",
        "slip | form | trip",
    ),
    _rule(
        "(?:rather | prefer | instead | only)(?: \\w+){0,3} (?:no | not | of)(?: \\w+){0,3} (?:text\\w* | messages?) | (?:email | call)(?: \\w+)? instead of (?:a )?text\\w*"
    ),
    _rule(
        f"(?:remove | delete | erase | lose | forget | drop | take (?:off | out | away) | unenroll | cut | pull | deactivate | get rid of)(?: \\w+)? {_NUMBER}"
        " | (?:remove | delete | erase | unenroll) (?:me | us | yourself) | remove from(?: (?:the | your))?(?: \\w+)? list"
        f" | (?:take | get | want | pull | scratch | strike | keep | cut | drop)(?: (?:me | us | my {_NUMBER} | this {_NUMBER} | the {_NUMBER})) (?:off | out of | from)"
        " | (?:take | get | want) (?:(?:me | us | my \\w+ | this \\w+) )?off (?:of )?(?:the | this | your | that)(?: \\w+)? (?:list | system) | (?:be | get) (?:removed | taken off | off this | off the list)"
        " | take us off | take me off",
        "(?:get | be) (?:off | removed)(?: \\w+)? (?:bus | work | team)",
    ),
    _rule(
        "leave (?:me | us) (?:alone | be) | (?:piss | fuck | buzz | f) (?:off | you) | get lost | ^(?:please )?go away"
    ),
    _rule(
        "block(?:ing | ed)? (?:you | u | this | your | ya) | (?:blocked | reported | report | reporting)(?: \\w+)? (?:as | to the fcc | this | you)",
        "who | form",
    ),
    _rule(
        "you(?:re | are) blocked | spam | scam | junk | fcc | dnc | tcpa | do not call list | ^do not call$ | harass\\w*",
        "is (?:this | it)(?: a)? (?:spam | scam) | junk food | no spam",
    ),
    _rule(
        "how (?:do | can | could) (?:i | we)(?: \\w+){0,2} (?:off | out)(?: \\w+){0,2} (?:list | texts | messages | this | these)? ?$ | how (?:do | can) i get off this",
        "work | bus",
    ),
    # Spanish.
    _rule(
        f"(?:no | nunca | tampoco | ni)(?: \\w+){{0,5}} {_MANDAR} | (?:no | nunca)(?: \\w+){{0,4}} {_MENSAJES}",
        "no (?:me )?(?:pued\\w+ | pude | pudo | recib\\w+ | lleg(?:o | aron | ado) | entiend\\w+ | vi | lei | se | tengo | hay | ha | han | quiero molestar)"
        " | (?:no | me) (?:ha | han) | no quiero que (?:salga | camine | vaya | coma)",
    ),
    _rule(
        "no mas mensaj\\w+ | no quiero (?:recibir )?nada | alto a | ^(?:ya )?no (?:mas | quiero | me interesa)(?: (?:por favor | gracias))?$ | ^ya no(?: por favor)?$"
    ),
    _rule(
        "(?:dej(?:a | e | en | o | ar) | par(?:a | e | en | ar) | basta | suspend\\w+ | deteng\\w+ | detener | cancel(?:o | ar | e | en | a) | desactiv\\w+ | "
        f"quit\\w+ | elimin\\w+ | bloque\\w+)(?: \\w+){{0,3}} (?:{_MENSAJES} | {_MANDAR} | molestando | chingar | fregar | numero | suscripcion)",
        "cita | reunion | clase | bandera | para (?:mandar | enviar | llamar)(?:le)? | para (?:el | la | que) | donde",
    ),
    _rule(
        "(?:demasiad\\w+ | muchos | tantos | hart\\w | cansad\\w) (?:\\w+ ){0,3}mensajes | (?:los | te | lo | a) (?:voy a )?bloquear | voy a bloquear"
    ),
    _rule(
        "(?:quit | saqu | sac | borr | elimin | remuev | remov | retir)\\w{0,5} (?:a )?(?:mi | este | ese | el | mis) (?:numero | telefono | celular | nombre | contacto)"
        " | (?:quit | saqu | sac | borr | elimin | remuev | retir)\\w{0,5} (?:me )?(?:\\w+ )?de (?:la | su | esta | tu | sus)(?: \\w+)? listas?"
        " | (?:quit | saqu | borr | elimin | retir)(?:e | en)(?:me | nos)",
    ),
    _rule(
        "de baja | (?:en paz | tranquil[oa])$ | dej\\w+ en paz | no molest\\w+ | en paz por favor", "de baja california"
    ),
    _rule(
        "no (?:doy | di | tienen | autorizo | acepto)(?: \\w+){0,2} (?:permiso | consentimiento | autorizacion | mensajes) | no (?:autorizo | consiento)",
        "salir | excursion",
    ),
    _rule("(?:ya )?(?:basta | paren | parenle | alto) ?(?:ya)?(?: por favor)?$"),
    # French.
    _rule(
        "(?:arretez | arrete | cessez)(?: (?:de | d | les | ces | vous | svp | sil))? ?\\w* | n ?e? ?(?:m | me | nous)? ?(?:envoyez | ecrivez | contactez | menvoyez) plus"
        " | nenvoyez plus | veux plus (?:recevoir | de) | desabonn\\w+ | desinscri\\w+ | (?:retirez | enlevez | supprimez) (?:moi | mon)",
    ),
)

_PARENT = "(?:parent|parents|mom|mum|mama|mother|mommy|moms|dad|dads|father|guardian|grandma|grandmother|aunt|uncle|family|contact|wife|husband|owner)"
_CHILD = "(?:kid|kids|child|children|son|sons|daughter|daughters|student|students|grandkids|grandchild)"
_LINE = "(?:number|phone|cell|line|num|phone number|cell phone)"
_HIJO = "(?:hij[oa]s?|nin[oa]s?|estudiantes?|alumn[oa]s?|niet[oa]s?)"

_WRONG_PERSON = (
    _rule(
        f"(?:wrong | wrng | incorrect | mistaken)(?: cell)? (?:{_LINE} | {_PARENT} | num | no | person | people | guy | girl | lady | man | woman | chat | group)"
        " | ^(?:sorry )?wrong$ | (?:text | texted | texting | messaged | reached | got) (?:the )?wrong",
        f"(?:my | his | her | our)(?: \\w+)? {_LINE} is wrong",
    ),
    _rule(
        f"you have the right (?:number | person) | (?:not | dont have | do not have | isnt) the (?:right | correct) (?:{_LINE} | person | parent)"
    ),
    _rule(
        "who (?:(?:the \\w+ | tf) )?(?:is | are) (?:this | you) | who ?(?:s | is | are | r | se)? ?(?:this | that | dis | dat | it | you | u | ya)(?! (?:year | week | teacher | class | mean | want | call | need | talk))"
        " | ^who$ | who ?(?:is | are | keeps | s) (?:texting | messaging | sending | contacting | writing) | who sent | who gave you | who(?:se | s) number | who do you think"
        " | who am i (?:talking | texting) | who is (?:sending | texting)",
        "^who is this years",
    ),
    _rule(
        "do (?:i | we) know (?:you | each) | (?:dont | do not | idk | no idea | dk)(?: \\w+)? who | (?:dont | do not) know (?:you | u | her | him | them | these people | any of (?:these | those | you).*)$",
        "who (?:to | is picking | picks | has | can | will | teach\\w*)",
    ),
    _rule(
        f"(?:dont | do not | never | didnt | aint | havent)(?: even)? (?:have | had | got)(?: \\w+){{0,2}} {_CHILD} | (?:have | got | has | with) no {_CHILD}"
        f" | no {_CHILD} (?:at | in | here) | {_CHILD} are (?:all )?(?:grown | adults)",
        f"{_CHILD} (?:with | today | home | to play)",
    ),
    _rule(
        f"(?:dont | do not | idk)(?: know)? (?:anyone | anybody | any \\w+$ | an? \\w+$ | (?:any | a | this | that | the) (?:{_CHILD} | person | people | name | boy | girl | family))",
        "(?:dont | do not) (?:want | have | need | like | see | get | understand)",
    ),
    _rule(
        "(?:nobody | no one | noone | none | anyone | one)(?: here)?(?: at this number)? (?:by | named | with | called | is named | goes by)(?: \\w+)?"
        " | (?:doesnt | does not | dont | no longer | not)(?: \\w+)? lives? here"
    ),
    _rule(
        f"(?:isnt | not | aint | no longer | longer | never) (?:a | my | his | her | their | the | our | [a-z]+s)?(?: \\w+)? ?{_LINE}(?: (?:anymore | any more | now))?"
        f"(?! (?:is | was)) | (?:has | have | own | owns | use | uses) (?:this | that) {_LINE} (?:anymore | any more | now) | longer has this {_LINE}",
        "(?:not | isnt) (?:working | on | in | near | able) | working",
    ),
    _rule(
        f"(?:not | isnt | arent) (?:my | our) {_CHILD} | (?:not | isnt)(?: (?:the | a | her | his | their | your | my | \\w+s))? (?:\\w+ )?{_PARENT}"
        f" | not the {_PARENT}",
        "(?:not | isnt) (?:at | with | for | to | in | from | picking | seeing)",
    ),
    _rule(
        f"(?:she | he | they | ana | mom | dad)(?: has)? (?:changed | got | has)(?: \\w+)?(?: \\w+)? {_LINE} | {_LINE} (?:changed owners | does ?nt belong | does not belong | belongs to | used to)"
        f" | (?:got | had) this (?:\\w+ )?{_LINE} | my {_LINE} now | this is a new {_LINE}$ | previous owner | used to belong | new owner"
        f" | this is (?:a | my)(?: \\w+)? (?:business | work | office | company)(?: {_LINE})?",
        "(?:my | i) (?:\\w+ )?changed | (?:son | daughter | he | she) (?:doesnt | does not | lost)",
    ),
    _rule(
        "(?:meant | intended)(?: to (?:text | message | send))?(?: \\w+)? ?(?:me | someone else | somebody else | another)$ | someone else$ | (?:not | isnt | wasnt) (?:meant )?for me$"
        " | (?:confused | mixed up) with | recycled | by mistake | (?:message | text | this) for me$ | think (?:this | that | its) (?:is | was) (?:not )?(?:for me | meant) | ^(?:thats | thats )?not me$",
        "(?:to | by) someone else | call\\w* me by",
    ),
    _rule(
        "^(?:this (?:is not | isnt) | not) \\w+$ | ^no \\w+ here$",
        "not (?:today | yet | sure | really | now | good | going | bad | coming | here | well | needed | available | home | feeling | urgent | true | fair | ok | "
        "right | working | funny | correct | interested | necessary | much | again | me | at | done | fun | nice | happening) | (?:isnt | not) \\w+ing$"
        " | no (?:bus | teacher | class | school | sub | parking | nurse)",
    ),
    _rule("(?:what | which) school is (?:this | that | it)$"),
    # Spanish.
    _rule(
        "equivocad\\w* | equivoc(?:o | aron | aste | ando) | se equivoca | (?:numero | telefono | persona) (?:incorrect[oa] | erroneo | erronea | mal) | mal numero | marc\\w+ mal",
        "respuesta | calificacion",
    ),
    _rule(
        "quien(?:es)?(?: (?:me | le | nos))? (?:es | eres | sos | son | habla | hablo | escribe | manda | envia | mando | sera)"
        "(?: (?:usted | ustedes | tu | este | esto | por favor | el numero | este numero | este mensaje | mensajes))*$"
        " | de parte de quien | (?:no se | no tengo idea)(?: de)? quien(?:es)? (?:es | eres | son | sea | me) | de quien es (?:este | el | ese) | de que escuela(?: es)?$ | quien(?:es)? (?:es | eres | son) (?:usted | ustedes | tu) | de donde (?:me )?(?:escriben? | llaman? | son | es | manda\\w*)$ | no se de que (?:me )?habla",
        "quien es (?:el | la | su | mi)",
    ),
    _rule(
        "no (?:te | lo | la | los | las | le | les)? ?conozco(?: (?:a | ningun\\w*) .*)?$ | no conozco (?:a | ningun\\w*)"
    ),
    _rule(
        f"no (?:tengo | tenemos)(?: (?:ningun[oa]? | mas))? {_HIJO} | sin {_HIJO} | {_HIJO} (?:ya )?(?:son | estan) (?:ya )?(?:grandes | adultos)"
    ),
    _rule("no soy (?:la | el | su | esa | ese | mama | papa)", "(?:la | el) (?:unic[oa] | que)"),
    _rule(
        f"no (?:es | era) (?:mi | su | esa | ese) (?:{_HIJO} | mama | papa) | no es para mi$ | (?:mensaje | esto) no (?:es | era) para mi"
    ),
    _rule(
        "(?:no | nunca) (?:es | era | fue | tiene | usa) (?:su | el | mi | de | un | este | ese)?(?: \\w+)? ?(?:numero | telefono | celular | cel | de ella | de el)"
        " | (?:numero | telefono | celular) (?:ya )?no (?:es | le pertenece | pertenece | corresponde) | (?:ella | el | ya | se)?(?: \\w+)? ?cambio de (?:numero | telefono)",
        "no (?:es | tiene) (?:buena | urgente) | cambie",
    ),
    _rule(
        "aqui no (?:vive | hay | esta | es) | no (?:vive | hay) (?:nadie | ningun\\w*) (?:aqui | con ese)",
        "clases | maestr\\w+ | escuela",
    ),
    # French.
    _rule(
        "(?:mauvais | faux) numero | erreur de numero | trompez de | vous vous trompez | qui est ce | c ?est qui | qui etes vous"
    ),
)
# A name begins with a capital letter, which the normal form loses.
_NAME = r"(?:(?:Mrs|Mr|Ms|Miss|Dr)\.? )?(?!(?:The|Your|My|In|On|At|Going|OK|Ok|Mr|Ms|Mrs|Dr|Coach)\b)[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+"
_WRONG_NAME = re.compile(
    rf"\b(?:(?:[Ii]['’]?m|[Ii] am|[Tt]his is|[Tt]his) (?:not|isn['’]t) {_NAME}|[Tt]his isn['’]t {_NAME}|[Nn]o soy (?:la señora )?\w+$"
    rf"|[Nn]ot {_NAME}['’]s (?:mom|dad|phone|number)|[Dd](?:on['’]?t|o not) know (?:an?y? )?{_NAME}\W*$"
    rf"|[Nn]o {_NAME} (?:here|at this number)|{_NAME} doesn['’]?t live here)"
    rf"|^[Ww]ho(?:['’]s| is) (?!Ms|Mr|Mrs|Dr){_NAME}\W*$"
)

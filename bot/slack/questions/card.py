"""Draws the answer to a question, in its language: how it was read, counts, and buttons that show names to the reader alone.

No name or number of a student or contact is in it, not even as it was typed, and not in a button: the message is kept.
"""

import re
from collections.abc import Sequence

from bot.cleanup_list.forecast import Forecast
from bot.cleanup_list.page import Freshness, Page
from bot.cleanup_list.question_counts import Counts, Found, Problem, Reach
from bot.cleanup_list.unverified import UnverifiedPage
from bot.domain.display import plural
from bot.filters.filter import EVERYONE, Filter, describe
from bot.filters.phrases import Language
from bot.filters.questions import FIX, FORECAST, HELP, MOST, NEXT, PENDING, REPORT, Question
from bot.filters.unverified import UNVERIFIED
from bot.reachability.score import percent
from bot.slack.kit import blocks as b
from bot.slack.kit.blocks import Block, Card

OPEN_PREFIX = "question.open"
_LIST, _ALL, _PEOPLE = "list", "all", "people"
OPEN = re.compile(rf"^{re.escape(OPEN_PREFIX)}\.\d+$")

_EN, _ES = Language.ENGLISH, Language.SPANISH
_NOUNS = {
    "contact": {_EN: ("contact", "contacts"), _ES: ("contacto", "contactos")},
    "student": {_EN: ("student", "students"), _ES: ("estudiante", "estudiantes")},
    "month": {_EN: ("month", "months"), _ES: ("mes", "meses")},
    "change": {_EN: ("change", "changes"), _ES: ("cambio", "cambios")},
}
_LISTED = {_EN: "On the list: {0} of {1}.", _ES: "En la lista: {0} de {1}."}
_WITHOUT_ADULT = {_EN: "Without an adult we can text: {0}.", _ES: "Sin un adulto que reciba mensajes: {0}."}
_FIXED = {_EN: "Fixed, waiting for the next message: {0}.", _ES: "Ya corregidos, en espera del próximo mensaje: {0}."}
_TO_FIX = {_EN: "Left to fix: {0}.", _ES: "Por arreglar: {0}."}
_GET = {_EN: "Would get a message now: {0}.", _ES: "Recibirían un mensaje ahora: {0}."}
_MISS = {_EN: "Would miss it: {0}.", _ES: "No lo recibirían: {0}."}
_NO_ADULT_GETS = {_EN: "No adult would get it: {0}.", _ES: "Sin ningún adulto que lo reciba: {0}."}
_TEXTABLE = {
    _EN: "With an adult we can text: *{0}%* of {1}.",
    _ES: "Con un adulto que recibe mensajes: *{0} %* de {1}.",
}
_UNVERIFIED = {
    _EN: "Not on the list, but not verified for {1}: {0}.",
    _ES: "Fuera de la lista, pero sin verificar desde hace {1}: {0}.",
}
_TOO_LARGE = {
    _EN: "These are too many students: add a school or a grade.",
    _ES: "Son demasiados: agregue una escuela o un grado.",
}
_PENDING = {
    _EN: "Not yet in the student information system: {0}.",
    _ES: "Todavía no están en el sistema de información estudiantil: {0}.",
}
_FOUND = {_EN: "Found: {0}. On the list: {1:,}.", _ES: "Resultado: {0}. En la lista: {1:,}."}
_ALL_FINE = {
    _EN: "✅ No contact is on the list for this, as far as the last mass message showed.",
    _ES: "✅ Ningún contacto está en la lista para esto, según el último mensaje masivo.",
}
_NONE_WITHOUT_ADULT = {
    _EN: "✅ Each of these students has an adult we can text, as far as the last mass message showed.",
    _ES: "✅ Cada estudiante tiene un adulto que recibe mensajes, según el último mensaje masivo.",
}
_BEFORE_FIRST = {
    _EN: "The list begins with the first mass message.",
    _ES: "La lista empieza con el primer mensaje masivo.",
}
_UNMET = {
    _EN: "None of your students is in that grade, school, or class. Check the name and ask again.",
    _ES: "Ninguno de sus estudiantes está ahí.",
}
_NOT_FOUND = {
    _EN: "None of your students, and no contact of theirs, was found for that. Ask with first and last name.",
    _ES: "No encontré a ninguno de sus estudiantes ni de sus contactos. Pregunte con nombre y apellido.",
}
_TOO_MANY = {
    _EN: "Too many people were found. Ask with first and last name, or add the grade.",
    _ES: "Encontré a demasiadas personas. Pregunte con nombre y apellido, o agregue el grado.",
}
_NO_STUDENTS = {
    _EN: "You have no students in the student information system. If that is wrong, ask your school's registrar.",
    _ES: "No tiene estudiantes en el sistema de información estudiantil. Si es un error, avise a la oficina de su escuela.",
}
_DID_YOU_MEAN = {
    _EN: "I did not understand all of that. Did you mean:",
    _ES: "No entendí todo. ¿Quiso decir…?",
}
_CANNOT = {
    _EN: "I cannot answer that.",
    _ES: "Eso no lo puedo contestar.",
}
_HELP = {
    _EN: (
        "I answer questions about the contacts that texts do not reach, for example:\n"
        "• who in 5B has no one?\n• how many blocked in grade 3?\n• landlines at Lincoln\n"
        "• who would miss a message to kindergarten now?\n• what should I fix next?\n"
        "I answer with counts here. Names are behind *Open list*, for you alone. I send no messages, and change nothing."
    ),
    _ES: (
        "Contesto preguntas sobre los contactos que no reciben mensajes, por ejemplo:\n"
        "• ¿quién en 5B no tiene a nadie?\n• ¿cuántos bloqueados hay en tercer grado?\n• teléfonos fijos en Lincoln\n"
        "• ¿quién no recibiría un mensaje ahora?\n• ¿qué sigue?\n"
        "Aquí contesto con números. Los nombres están en *Abrir lista*, solo para usted. No mando mensajes ni cambio nada."
    ),
}
_FIX = {
    _EN: (
        "Press *Fix* beside a student in the list. Then enter the new number, choose autocalls or email, or press *Verify now* if "
        "the parent is with you. *Undo* takes each change back. *Help* says the rest."
    ),
    _ES: (
        "Presione *Fix* junto a un estudiante de la lista. Luego escriba el número nuevo, elija llamadas o correo, o presione "
        "*Verify now* si la familia está con usted. *Undo* deshace cada cambio. *Ayuda* explica lo demás."
    ),
}
_LABELS = {
    _LIST: {_EN: "Open list", _ES: "Abrir lista"},
    _ALL: {_EN: "Show my list", _ES: "Ver mi lista"},
    _PEOPLE: {_EN: "People of that name", _ES: "Personas con ese nombre"},
    FORECAST: {_EN: "Open forecast", _ES: "Abrir pronóstico"},
    NEXT: {_EN: "Next to fix", _ES: "El siguiente"},
    PENDING: {_EN: "Open changes", _ES: "Abrir cambios"},
    REPORT: {_EN: "Open report", _ES: "Abrir informe"},
    MOST: {_EN: "What helps most", _ES: "Lo que más ayuda"},
    UNVERIFIED: {_EN: "Open contacts", _ES: "Abrir contactos"},
    HELP: {_EN: "Help", _ES: "Ayuda"},
}


def draw(counts: Counts, freshness: Freshness, *, changes: int) -> Card:
    """Return the answer. Its text, which a locked phone shows, has the counts without the heading; `changes` are the pending ones."""
    question, language = counts.question, counts.question.language
    if counts.facts is Problem.NO_STUDENTS:
        return _card("", [_NO_STUDENTS[language]], [])
    if not question.is_clear:
        return _ask_back(question, counts.facts if isinstance(counts.facts, Found) else None)
    if isinstance(counts.facts, Found):
        return _found(counts.facts, language)
    if question.command in {HELP, FIX}:
        sentences = _HELP if question.command == HELP else _FIX
        return _card("", [sentences[language]], _buttons(language, (_ALL, EVERYONE), (HELP, HELP)))
    buttons = _buttons(language, (question.command or _LIST, question.text))
    match counts.facts:
        case Forecast() as forecast:
            facts = _forecast(forecast, language)
        case Page() as page:
            facts = _page(page, counts, freshness)
            buttons += _more(counts)
        case Reach() as reach:
            facts = _reach(reach, language)
        case UnverifiedPage() as unverified:
            number = _number(unverified.total, "contact", language)
            age = plural(unverified.months, *_NOUNS["month"][language])
            facts = [_TOO_LARGE[language] if unverified.is_too_large else _UNVERIFIED[language].format(number, age)]
        case Problem.UNMET:
            facts, buttons = [_UNMET[language]], _buttons(language, (_ALL, EVERYONE))
        case _:
            facts = [_PENDING[language].format(_number(changes, "change", language))]
    heading = f"*{b.escaped(describe(question.filter))}*" if question.filter.criteria else ""
    return _card(heading, facts, buttons)


def _card(heading: str, facts: Sequence[str], buttons: Sequence[Block]) -> Card:
    sentences = " ".join(facts)
    shown = f"{heading}\n{sentences}" if heading else sentences
    return Card([b.section(shown), *b.actions(buttons)], b.without_formatting(sentences))


def _ask_back(question: Question, people: Found | None) -> Card:
    """Offer what may have been meant; say what can be asked where that is nothing."""
    language = question.language
    if not (question.suggestions or people):
        return _card("", [f"{_CANNOT[language]} {_HELP[language]}"], _buttons(language, (_ALL, EVERYONE), (HELP, HELP)))
    buttons = [
        b.button(suggestion.label, f"{OPEN_PREFIX}.{number}", suggestion.text)
        for number, suggestion in enumerate(question.suggestions)
    ]
    if people:
        buttons += _buttons(language, (_PEOPLE, Filter(student_ids=people.student_ids).text), first=len(buttons))
    return _card("", [_DID_YOU_MEAN[language]], [*buttons, *_buttons(language, (HELP, HELP), first=len(buttons))])


def _found(found: Found, language: Language) -> Card:
    if found.has_more:
        return _card("", [_TOO_MANY[language]], [])
    if not found.student_ids:
        return _card("", [_NOT_FOUND[language]], _buttons(language, (HELP, HELP)))
    students = _number(len(found.student_ids), "student", language)
    opened = _buttons(language, (_LIST, Filter(student_ids=found.student_ids).text))
    return _card("", [_FOUND[language].format(students, found.listed)], opened)


def _forecast(forecast: Forecast, language: Language) -> list[str]:
    counts = {
        _GET[language]: (forecast.delivered, "contact"),
        _MISS[language]: (sum(forecast.missed.values()), "contact"),
        _NO_ADULT_GETS[language]: (forecast.without_adult, "student"),
    }
    return [sentence.format(_number(number, noun, language)) for sentence, (number, noun) in counts.items()]


def _reach(reach: Reach, language: Language) -> list[str]:
    share = percent(reach.students - reach.without_adult, reach.students)
    return [
        _TEXTABLE[language].format(share, _number(reach.students, "student", language)),
        _WITHOUT_ADULT[language].format(_number(reach.without_adult, "student", language)),
    ]


def _page(page: Page, counts: Counts, freshness: Freshness) -> list[str]:
    language = counts.question.language
    listed = _listed(page, language)
    if counts.without_adult:
        sentence = _WITHOUT_ADULT[language].format(_number(counts.without_adult, "student", language))
        return [sentence, *listed[:1]]
    if not listed:
        fine = _ALL_FINE if counts.without_adult is None else _NONE_WITHOUT_ADULT
        return [fine[language] if freshness.sent_at else _BEFORE_FIRST[language]]
    to_fix = _number(page.total_contacts - page.fixed, "contact", language)
    return [_TO_FIX[language].format(to_fix)] if counts.question.command in {MOST, NEXT} else listed


def _more(counts: Counts) -> list[Block]:
    """Return the button to the students who have no adult and no contact on the list: a forecast names every one."""
    text = f"{FORECAST} {counts.question.filter.student_part()}".strip()
    return _buttons(counts.question.language, (FORECAST, text), first=1) if counts.without_adult else []


def _listed(page: Page, language: Language) -> list[str]:
    if not page.total_students:
        return []
    contacts = _number(page.total_contacts, "contact", language)
    facts = [_LISTED[language].format(contacts, _number(page.total_students, "student", language))]
    if page.without_adult and not page.filter.no_adult:
        facts.append(_WITHOUT_ADULT[language].format(_number(page.without_adult, "student", language)))
    if page.fixed and not page.filter.waiting:
        facts.append(_FIXED[language].format(_number(page.fixed, "contact", language)))
    return facts


def _number(count: int, noun: str, language: Language) -> str:
    return f"*{plural(count, *_NOUNS[noun][language])}*"


def _buttons(language: Language, *opened: tuple[str, str], first: int = 0) -> list[Block]:
    """Return a button for each kind and text that it opens; `first` is the number of the first one."""
    return [
        b.button(_LABELS[kind][language], f"{OPEN_PREFIX}.{number}", text)
        for number, (kind, text) in enumerate(opened, first)
    ]

"""Questions in plain English and Spanish: what each asks for, never another thing, or asked back."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.names import fold
from bot.filters.parse import parse_filter
from bot.filters.phrases import FILE, Kind, Language, phrase_books, read_phrases
from bot.filters.questions import FIX, FORECAST, HELP, MOST, NEXT, PENDING, REPORT, read_question
from bot.filters.unverified import UNVERIFIED, take_age
from bot.filters.vocabulary import Vocabulary

DISTRICT = Vocabulary(
    schools=(
        "Lincoln Elementary",
        "Roosevelt High",
        "Washington Middle School",
        "Martin Luther King Jr. Middle School",
    ),
    teachers=("Ana Rivera", "Tom Brown", "Sara Tanner", "Elena García", "Rosa Núñez", "Tim Núñez"),
    classes=("3A", "3B", "5A", "5B"),
    grades=("PK", "K", *map(str, range(1, 13))),
)
# A name that no one has is asked back when it is looked up.
NAMES = {"finn o'connor", "ava chen", "maria lópez", "maría lópez", "lucía cruz", "lucía de la cruz"}
ASK_BACK = "?"
COMMANDS = {FORECAST, REPORT, MOST, NEXT, UNVERIFIED, PENDING, HELP, FIX}
HERE = Path(__file__).parent
BATCHES = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))
# Written after the rules were fixed, which were not changed for it. At first sight 52 of 60 were answered right (26 of them with
# a question back, as labeled), 8 clear ones were asked back, 7 of these with the right button, and none was answered wrong.
FRESH = tomllib.loads((HERE / "fresh_questions.toml").read_text(encoding="utf-8"))
LEAST_RIGHT = 0.95


def answer(text):
    """Return what a question is taken for, as typed after `/cleanup`, or `?`."""
    question = read_question(text, DISTRICT)
    is_name = not question.filter.names or " ".join(question.filter.names).lower() in NAMES
    if not (question.is_clear and is_name):
        return ASK_BACK
    return question.text if question.command else str(question.filter)


def expected(label):
    """Return a label in canonical form."""
    command, _, rest = label.partition(" ")
    if label == ASK_BACK or command not in COMMANDS:
        return label if label == ASK_BACK else str(parse_filter(label, DISTRICT).filter)
    aged = take_age(rest)
    command = aged.command if command == UNVERIFIED else command
    return f"{command} {parse_filter(aged.rest, DISTRICT).filter}".strip()


def judge(questions):
    """Return the questions that were answered right, asked back although they are clear, and answered wrong."""
    right, asked_back, wrong = {}, {}, {}
    for text, label in questions.items():
        got = answer(text)
        (right if got == expected(label) else asked_back if got == ASK_BACK else wrong)[text] = got
    return right, asked_back, wrong


@pytest.mark.parametrize("language", Language)
def test_two_hundred_questions_are_answered_right_or_asked_back(language):
    right, asked_back, wrong = judge(BATCHES[language])
    assert len(BATCHES[language]) == 100
    assert wrong == {}
    assert len(right) >= LEAST_RIGHT * 100, asked_back


def test_no_fresh_question_is_answered_wrong():
    right, asked_back, wrong = judge(FRESH[Language.ENGLISH] | FRESH[Language.SPANISH])
    assert wrong == {}
    assert (len(right), len(asked_back)) == (52, 8)


@pytest.mark.parametrize("language", Language)
def test_answers_are_in_the_language_of_the_question(language):
    clear = [text for text, label in BATCHES[language].items() if label != ASK_BACK and not text[0].isupper()]
    others = [text for text in clear if read_question(text, DISTRICT).language is not language]
    assert others == []


OF_COMMANDS = {
    "how do I fix a number?": "fix",
    "how can we change a wrong number": "fix",
    "how do I fix grade 5?": ASK_BACK,
    "¿cómo cambio un número?": "fix",
    "¿cómo se corrige un teléfono?": "fix",
    "how are we doing?": "report",
    "how many students can we text at Lincoln?": "report school Lincoln",
    "¿cómo vamos en quinto?": "report grade 5",
    "what helps most in grade 5": "most grade 5",
    "¿qué ayuda más en la escuela Lincoln?": "most school Lincoln",
    "who in 5B has not been verified in 12 months?": "unverified class 5B",
    "who in 5B has not been verified for 6 months?": "unverified 6 months class 5B",
    "unverified for half a year in grade 5": "unverified 6 months grade 5",
    "contactos sin verificar en 5B": "unverified class 5B",
    "¿quién no se ha verificado desde hace seis meses en quinto?": "unverified 6 months grade 5",
    "blocked in grade 5 for 6 months": ASK_BACK,
    "unverified for 6 months and what helps most": ASK_BACK,
    "how are we doing with landlines?": ASK_BACK,
    "unverified and blocked in grade 5": ASK_BACK,
}


@pytest.mark.parametrize("text", OF_COMMANDS)
def test_question_for_a_command(text):
    assert answer(text) == expected(OF_COMMANDS[text])


# Clear questions whose meaning is near, and would be wrong.
NEAR_MISSES = (
    *("6to A", "segundo B", "grade 5+", ">5 blocked", "50% of grade 5", "3 - 5 blocked", "status=blocked"),
    *("blocked 3/4 of 5B", "more than 3 landlines", "no landlines in grade 5", "blocked not in grade 5"),
    *("landlines at Lincoln or blocked", "landlines at Lincoln and blocked at Roosevelt", "grade 3 class 5B"),
    *("what's up with Lincoln", "Rivera", "who has one adult", "phones off after 5", "5 grade 4 blocked"),
    *("¿qué alumnos están en quinto?", "¿qué hay en 5B?", "which kids are in 5B", "unsubscribe me"),
    *(
        "is Mr. Brown blocked?",
        "are any teachers blocked",
        "which schools have no landlines",
        "schools with blocked numbers",
    ),
    *("who in 5B has only a landline", "how many texts bounced in grade 5", "waiting list", "the teacher of 5B"),
    *("¿está la maestra Rivera bloqueada?", "el maestro de 5B", "fijo a las 5", "¿qué escuelas tienen fijos?"),
    *("up to grade 5", "hasta quinto", "desde enero bloqueados", "un segundo", "who left the list", "k thanks"),
    *("landlines " * 40, "Is everyone in 5B reachable?", "no\nblocked\nlandlines", "my class 5B"),
)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_is_nearly_clear_is_asked_back(text):
    question = read_question(text, DISTRICT)
    assert not question.is_clear


def test_suggestions_repeat_no_name_and_no_number():
    text = "does Zed Zulu 2485550142 at Zulu have teacher Zulu blokced in grade 5"
    suggestions = read_question(text, DISTRICT).suggestions
    assert suggestions
    assert "Zulu" not in str(suggestions)
    assert "0142" not in str(suggestions)


def test_several_teachers_or_schools_of_a_name_are_offered():
    assert [each.text for each in read_question("mr nunez landlines", DISTRICT).suggestions] == [
        'landline teacher "Rosa Núñez"',
        'landline teacher "Tim Núñez"',
    ]
    district = replace(DISTRICT, schools=("Lincoln Elementary", "Lincoln High"))
    assert [each.label for each in read_question("fijos en Lincoln", district).suggestions] == [
        "Landline · School Lincoln Elementary",
        "Landline · School Lincoln High",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "who has 123456 at Lincoln?",
        "who has 2485550142 at Lincoln?",
        "landlines of mr nunez at Zulu",
        "landlines of Rivera 123456",
        "landlines of teacher Zulu at Lincoln",
        "who has 123456 in my class? landlines at Lincoln",
    ],
)
def test_places_offered_repeat_no_typed_number_or_unknown_name(text):
    district = replace(DISTRICT, schools=("Lincoln Elementary", "Lincoln High"))
    question = read_question(text, district)
    assert question.suggestions
    assert not any(word in str(question.suggestions) for word in ("123456", "0142", "Zulu"))


def test_mentioned_colleague_is_a_teacher():
    vocabulary = DISTRICT.with_mentions({"U0TOM": "Tom Brown"})
    assert read_question("landlines of <@U0TOM|tom.brown>", vocabulary).text == 'landline teacher "Tom Brown"'


@pytest.mark.parametrize("language", Language)
def test_phrases_are_written_as_they_are_compared(language):
    book = phrase_books()[language]
    words = {word for phrase in book.phrases for word in phrase}
    assert {word for word in words if fold(word) != word} == set()
    texts = {phrase.text for phrase in book.phrases.values() if phrase.kind is Kind.FILTER}
    keys = {"teacher", "mr", "mrs", "school", "letter", "and", "or", "to"}
    assert {text for text in texts - keys if not (read := parse_filter(text)).filter.criteria or read.unknown} == set()


@pytest.mark.parametrize("language", Language)
def test_no_phrase_has_two_meanings(language):
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))[language]
    meanings = {}
    for words, phrase in read_phrases(table):
        meanings.setdefault(words, set()).add(phrase)
    assert {words: found for words, found in meanings.items() if len(found) > 1} == {}

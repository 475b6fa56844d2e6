import pytest

from bot.domain.phone_note import NoteKind, kind_of, masked_note, note_beside

REFUSED = (
    *(
        "DO NOT TEXT",
        "do  not   call",
        "Don't call",
        "DON’T TEXT",
        "dont text",
        "no texts",
        "NO CALLS",
        "No contact w/ child",
    ),
    *("DNC", "DNT", "court order - do not contact", "Restraining order", "order of protection", "sole custody mom"),
    *("never text her", "please no texting", "opted out", "STOP", "do not leave messages", "refused texts"),
    *("no llamar", "NO ENVIAR MENSAJES", "no mandar textos", "no contactar", "orden judicial", "orden de alejamiento"),
    *("orden de restricción", "custodia del papá", "wrong number, do not call"),
    *("doesn't want texts", "doesn’t want to be texted", "won't take texts", "cannot be contacted", "can't be called"),
    *("do_not_text", "DONOTTEXT", "DoNotCall", "D.N.T.", "no msgs", "text no", "opts out", "unsubscribed"),
    *("call only", "calls only", "voice only", "TRO on file", "stay away order", "no comunicarse", "solo llamadas"),
)
DEAD = (
    *(
        "WRONG NUMBER",
        "wrong #",
        "(disconnected)",
        "disc",
        "disconected",
        "not in service",
        "out of service",
        "old",
        "OLD #",
    ),
    *("bad number", "invalid", "not working", "doesn't work", "no longer valid", "número equivocado", "desconectado"),
    *("fuera de servicio", "no sirve", "no funciona", "viejo"),
)
NEITHER = (
    "mom",
    "cell",
    "Harold",
    "Goldie",
    "text only",
    "ext 12",
    "work, 9-5",
    "aunt (Badia)",
    "mamá",
    "no voicemail",
    "Nottingham",
    "Metro",
    "text or call",
    "Texts ok, no English",
)


@pytest.mark.parametrize("note", REFUSED)
def test_words_of_refusal(note):
    assert kind_of(note) is NoteKind.REFUSED


@pytest.mark.parametrize("note", DEAD)
def test_words_that_the_number_is_dead(note):
    assert kind_of(note) is NoteKind.DEAD


@pytest.mark.parametrize("note", NEITHER)
def test_other_words(note):
    assert kind_of(note) is None


@pytest.mark.parametrize(
    ("cell", "e164", "note"),
    [
        ("312-555-0142 mom", "+13125550142", "mom"),
        ("court order - do not contact (312) 555-0142", "+13125550142", "court order - do not contact"),
        ("+1 312.555.0142 (disconnected)", "+13125550142", "disconnected"),
        ("312-555-0142 or 312-555-0143", "+13125550142", "or 312-555-0143"),
        ("312-555-0142 x12", "+13125550142", "x12"),
        ("+1 (312) 555-0142", "+13125550142", None),
        ("555-0142 mom", None, "555-0142 mom"),
        ("unlisted", None, "unlisted"),
        ("000-000-0000", None, None),
    ],
)
def test_note_beside_a_number(cell, e164, note):
    assert note_beside(cell, e164) == note


def test_second_number_in_a_note_is_masked():
    assert masked_note("or (312) 555-0143 after 5") == "or ••• 0143 after 5"

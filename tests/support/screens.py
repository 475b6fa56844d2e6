"""Reads facts from a message, a dialog, or the Home tab: its buttons and menus, and the students it shows."""


def elements(place):
    """Yield every button and menu, those beside a section too."""
    for block in place.blocks:
        yield from block.get("elements", [])
        if "accessory" in block:
            yield block["accessory"]


def action_ids(place):
    return {element["action_id"] for element in elements(place) if "action_id" in element}


def values(place, action_id):
    """Return the values of the buttons with this action id, in their order."""
    return [element["value"] for element in elements(place) if element.get("action_id") == action_id]


def student_ids(place):
    """Return the ids of the students that have a row, in their order."""
    return [int(value.split()[0]) for value in _row_values(place)]


def row_value(place, student_id):
    """Return the value of the button in a student's row."""
    return next(value for value in _row_values(place) if value.split()[0] == str(student_id))


def _row_values(place):
    return values(place, "student.open") + values(place, "student.show")


def labels(place):
    """Return the words on every button."""
    return [element["text"]["text"] for element in elements(place) if element["type"] == "button"]


def options(place, action_id):
    """Return the words of the options of a menu; none where there is no such menu."""
    menus = (element for element in elements(place) if element.get("action_id") == action_id)
    return [option["text"]["text"] for menu in menus for option in menu["options"]]


def open_student(person, place, **button):
    """Open a student from a row, and return the student dialog, also where the row opens the form of the one contact to fix."""
    assert person.press(place, action_id="student.open", **button).ok
    if "student.all_contacts" in action_ids(person.view):
        assert person.press(person.view, action_id="student.all_contacts").ok
    return person.view


def choose_more(person, choice, contact_id=None):
    """Choose in the menu behind the three dots: of the contact with this id, or of the first that offers it. Return the outcome."""
    offered = _offers(person.view, choice, contact_id)
    if not offered and "student.healthy_contacts" in action_ids(person.view):
        assert person.press(person.view, action_id="student.healthy_contacts").ok
        offered = _offers(person.view, choice, contact_id)
    block_id, value = offered[0]
    return person.choose(person.view, value, action_id="contact.more", block_id=block_id)


def _offers(place, choice, contact_id):
    return [
        (block["block_id"], option["value"])
        for block in place.blocks
        for element in block.get("elements", [])
        for option in element.get("options", [])
        if element.get("action_id") == "contact.more"
        and option["value"].split()[0] == choice
        and contact_id in {None, option["value"].split()[1], int(option["value"].split()[1])}
    ]


def menu_choices(place):
    """Return the words in the menus behind the three dots."""
    return set(options(place, "contact.more"))

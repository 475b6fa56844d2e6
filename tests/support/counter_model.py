"""A reference model of codes at the counter, in a few lines of Python: which text proves which contact's number."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

VALID = timedelta(minutes=10)
MOST_TEXTS = 5


@dataclass
class ShownCode:
    contact: int
    clerk: str
    expires_at: datetime
    is_used: bool = False


@dataclass
class CounterModel:
    """`phones` by contact, who all have `of_sis` in the SIS, whatever they were edited to; `stopped` are the numbers that
    texted STOP, `parked` those of the wrong person, and `proved` the contacts with numbers that they proved since.
    """

    phones: dict
    of_sis: str
    stopped: set = field(default_factory=set)
    parked: set = field(default_factory=set)
    proved: set = field(default_factory=set)
    codes: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    without_rights: set = field(default_factory=set)

    def alive(self, now):
        return {code: shown for code, shown in self.codes.items() if not shown.is_used and now < shown.expires_at}

    def issue(self, code, contact, clerk, now):
        for shown in self.alive(now).values():
            if (shown.contact, shown.clerk) == (contact, clerk):
                shown.expires_at = now
        self.codes[code] = ShownCode(contact, clerk, now + VALID)

    def text(self, key, phone, code, now):
        """Return the contact whose number the text proves, None if it proves nothing."""
        if key in self.texts:
            return None
        self.texts[key] = (phone, now)
        lately = [at for sender, at in self.texts.values() if sender == phone and at > now - VALID]
        shown = self.alive(now).get(code)
        if len(lately) > MOST_TEXTS or shown is None or shown.clerk in self.without_rights:
            return None
        shown.is_used = True
        self.phones[shown.contact] = phone
        self.proved.add((shown.contact, phone))
        others = [number for contact, number in self.phones.items() if contact != shown.contact]
        if phone not in others and (phone != self.of_sis or not others):
            self.parked.discard(phone)
        return shown.contact

    def park(self, phone):
        self.parked.add(phone)
        self.proved = {(contact, proved) for contact, proved in self.proved if proved != phone}

    @property
    def not_texted(self):
        return {
            contact
            for contact, phone in self.phones.items()
            if phone in self.stopped or (phone in self.parked and (contact, phone) not in self.proved)
        }

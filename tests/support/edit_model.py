"""Edit-or-SIS in a few lines of Python: what one contact's edits come to, whatever was done in which order."""

from dataclasses import dataclass, field


@dataclass
class Layer:
    """An edit: what the SIS said then, what was entered, and in which act."""

    base: str | None
    value: str | None
    act: int


@dataclass
class EditOrSis:
    """For each field the SIS value and a pile of edits, of which the top one holds."""

    sis: dict
    piles: dict = field(default_factory=lambda: {"phone": [], "method": []})

    def value(self, name):
        return self.piles[name][-1].value if self.piles[name] else self.sis[name]

    def is_disputed(self, name):
        return bool(self.piles[name]) and self.sis[name] not in {self.piles[name][-1].base, self.value(name)}

    def change(self, act, phone, method):
        wanted = {"phone": phone, "method": method}
        if all(self.value(name) == value for name, value in wanted.items()) or (method == "call" and not phone):
            return False
        for name, value in wanted.items():
            if value == self.sis[name] != self.value(name):
                self.piles[name] = []
            elif value != self.value(name):
                self.piles[name].append(Layer(self.sis[name], value, act))
        return True

    def undo(self, _act, name):
        if not self.piles[name]:
            return False
        made_in = self.piles[name][-1].act
        for pile in self.piles.values():
            if pile and pile[-1].act == made_in:
                pile.pop()
        self.hear()
        return True

    def sis_says(self, phone):
        self.sis["phone"] = phone
        self.hear()

    def settle(self, _act, keep):
        if not self.is_disputed("phone"):
            return False
        if keep == "sis":
            self.piles["phone"] = []
        else:
            self.piles["phone"][-1].base = self.sis["phone"]
        return True

    def hear(self):
        """What the SIS says by now is no edit any more, and what lay under it is history."""
        for name, pile in self.piles.items():
            if pile and pile[-1].value == self.sis[name]:
                self.piles[name] = []

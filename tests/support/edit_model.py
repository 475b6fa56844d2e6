"""A reference model of the edits of one contact, in a few lines of Python: the newest edit, or else the SIS value."""

from dataclasses import dataclass, field


@dataclass
class Layer:
    """An edit: the SIS value at the time, the value entered, and the step that saved it."""

    base: str | None
    value: str | None
    step: int


@dataclass
class EditModel:
    """For each field the SIS value, and a stack of edits whose top is in force."""

    sis: dict
    stacks: dict = field(default_factory=lambda: {"phone": [], "method": []})

    def value(self, name):
        return self.stacks[name][-1].value if self.stacks[name] else self.sis[name]

    def typed_in_step(self, phone):
        """Return the step in which the phone in force was typed, None if it is another one or the SIS's."""
        newest = self.stacks["phone"][-1] if self.stacks["phone"] else None
        return newest.step if newest and newest.value == phone else None

    def has_conflict(self, name):
        return bool(self.stacks[name]) and self.sis[name] not in {self.stacks[name][-1].base, self.value(name)}

    def change(self, step, phone, method):
        entered = {"phone": phone, "method": method}
        if all(self.value(name) == value for name, value in entered.items()) or (method == "call" and not phone):
            return False
        for name, value in entered.items():
            if value == self.sis[name] != self.value(name):
                self.stacks[name] = []
            elif value != self.value(name):
                self.stacks[name].append(Layer(self.sis[name], value, step))
        return True

    def undo(self, _step, name):
        """Undo everything that was saved together with the newest edit of this field."""
        if not self.stacks[name]:
            return False
        saved_in = self.stacks[name][-1].step
        for stack in self.stacks.values():
            if stack and stack[-1].step == saved_in:
                stack.pop()
        self._absorb()
        return True

    def sync_phone(self, phone):
        self.sis["phone"] = phone
        self._absorb()

    def resolve(self, _step, keep):
        if not self.has_conflict("phone"):
            return False
        if keep == "sis":
            self.stacks["phone"] = []
        else:
            self.stacks["phone"][-1].base = self.sis["phone"]
        return True

    def _absorb(self):
        """A value that the SIS has by now is no edit anymore, and the edits below it are history."""
        for name, stack in self.stacks.items():
            if stack and stack[-1].value == self.sis[name]:
                self.stacks[name] = []

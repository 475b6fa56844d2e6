"""The one error whose text people see. Anything else that is raised is a bug and is answered with a reference id."""


class UserError(Exception):
    """A sentence for the person who asked, saying what is wrong and how to fix it.

    `field` names the input it belongs to (a dialog shows it there); `permanent` is False where trying again may help.
    """

    def __init__(self, sentence: str, *, field: str | None = None, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.permanent = permanent

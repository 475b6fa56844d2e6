"""What can be seen of lines while they pass on their way to the database: how many end, and whether one of them may be odd."""

import re
from dataclasses import dataclass

from bot.sis.lines import LONGEST_LINE

_BEGINS_ODD = re.compile(rb'\n(?:[\n\r ,]|"")')
"""As a line without any cell begins. Others may, too."""
_MARGIN = 2
"""Bytes of a beginning that the next block may hold."""


@dataclass
class Passing:
    """`ends` are the line ends so far. Unless `may_be_odd`, no line is blank, and each is as short as a row has to be."""

    ends: int = 0
    may_be_odd: bool = False
    _last: bytes = b"\n"
    _open: int = 0

    def see(self, block: bytes) -> None:
        """The next bytes below the header."""
        self.ends += block.count(b"\n")
        self.may_be_odd = self.may_be_odd or self._begins_odd(block) or self._is_long(block)
        self._last = (self._last + block[-_MARGIN:])[-_MARGIN:]

    @property
    def lines(self) -> int:
        """Those that ended, and one more where the last has no end."""
        return self.ends + (self._last[-1:] != b"\n")

    def _begins_odd(self, block: bytes) -> bool:
        return bool(_BEGINS_ODD.search(block) or _BEGINS_ODD.search(self._last + block[:_MARGIN]))

    def _is_long(self, block: bytes) -> bool:
        """Only a line that began before the block is measured; within a block that is as long as a line may be, one may be anywhere."""
        first = block.find(b"\n")
        longest = self._open + (len(block) if first < 0 else first)
        self._open = longest if first < 0 else len(block) - block.rfind(b"\n") - 1
        return max(longest, len(block)) >= LONGEST_LINE - 2

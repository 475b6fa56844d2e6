"""Groups that are too small to count in a channel: a count about so few students points at a child.

The rule, which PRIVACY.md states for everyone. A channel reads no count of a group with fewer than `SMALLEST_GROUP` students:

- A digest whose filter selects fewer students shows no counts at all.
- Neither does a digest of a message that went to fewer contacts among them; such a message is left out of the earlier ones, too.
- Grades with fewer students are counted together, with the next smallest grade where they are still too few: otherwise the total
  less the grades that are shown would give them away.

What is counted inside a group may be any number, also one or none.
"""

from collections.abc import Mapping, Sequence

SMALLEST_GROUP = 10


def is_too_small(members: int) -> bool:
    """Return whether a group may not be counted. An empty group points at no one."""
    return 0 < members < SMALLEST_GROUP


def group_grades(students: Mapping[str, int], order: Sequence[str]) -> list[tuple[str, ...]]:
    """Return groups of grades that may be counted: each grade alone, in `order`; the small ones together, last.

    `students` are the numbers of students by grade. No group at all is returned where all grades together are too small.
    """
    grades = [level for level in order if students.get(level)]
    by_size = sorted(grades, key=lambda level: students[level])
    merged: set[str] = set()
    for level in by_size:
        together = sum(students[small] for small in merged)
        if students[level] >= SMALLEST_GROUP and not is_too_small(together):
            break
        merged.add(level)
    if is_too_small(sum(students[level] for level in merged)):
        return []
    alone: list[tuple[str, ...]] = [(level,) for level in grades if level not in merged]
    return [*alone, tuple(level for level in grades if level in merged)] if merged else alone

"""How many fixes reach the same share of students with an adult, by *What helps most* and by
alphabet: `python simulate_fixes.py 1000`.

The students of a made-up district who have no adult; each fix gives one to all students of a
contact. By alphabet, a clerk works down the students, and leaves out those who have got an adult by
then.
"""

import sys
from itertools import accumulate
from random import Random

from support import random_families

from bot.reachability.fewest_fixes import choose

SHARES = (0.25, 0.5, 0.75, 0.9, 1.0)


def by_plan(candidates):
    return list(accumulate(len(choice.students) for choice in choose(candidates, set())))


def by_alphabet(random, candidates):
    students = sorted({student for candidate in candidates for student in candidate.students})
    random.shuffle(students)  # Their names say nothing of their families' adults.
    helped, counts = set(), []
    for student in students:
        if student not in helped:
            helped.update(next(candidate.students for candidate in candidates if student in candidate.students))
            counts.append(len(helped))
    return counts


def fixes_for(counts, share):
    return next(fixes for fixes, count in enumerate(counts, start=1) if count >= share * counts[-1])


def main(students):
    random = Random(students)  # noqa: S311
    candidates = random_families.shuffled(random, random_families.families(random, students))
    plan, alphabet = by_plan(candidates), by_alphabet(random, candidates)
    print(f"{students:,} students without an adult, {len(candidates):,} contacts that can be fixed")
    for share in SHARES:
        ours, theirs = fixes_for(plan, share), fixes_for(alphabet, share)
        print(
            f"{share:4.0%} of them have one after {ours:5,} fixes; by alphabet {theirs:5,}: {1 - ours / theirs:.0%} fewer"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)

"""Fewest fixes, most children: the order of fixes, and the optimum of it on random districts."""

from itertools import accumulate, chain
from random import Random

from support import random_families

from bot.reachability.fewest_fixes import Candidate, choose

DISTRICTS = 1_000
SHARE = 0.95  # Of the optimum.


def places(candidates, urgent=()):
    return [choice.place for choice in choose(candidates, set(urgent))]


def helped(candidates, urgent=()):
    """Return how many students have an adult after each of the fixes."""
    return list(accumulate(len(choice.students) for choice in choose(candidates, set(urgent))))


def optimum(family):
    """Return the largest number of students that no, one, two ... of the candidates can give an
    adult, by trying all sets of them.
    """
    masks = [sum(1 << student for student in candidate.students) for candidate in family]
    unions, best = [0], [0] * (len(masks) + 1)
    for mask in masks:
        unions += [union | mask for union in unions]
    for chosen, union in enumerate(unions):
        best[chosen.bit_count()] = max(best[chosen.bit_count()], union.bit_count())
    return best


def best_of_all(found):
    """Return the optimum of a district: families share no student, so that the numbers of their
    fixes are only divided up.
    """
    total = [0]
    for best in map(optimum, found):
        sizes = range(len(total) + len(best) - 1)
        total = [
            max(total[size - k] + best[k] for k in range(len(best)) if 0 <= size - k < len(total)) for size in sizes
        ]
    return total


def test_one_parent_of_three_comes_before_three_parents():
    candidates = [Candidate((1,)), Candidate((2,)), Candidate((3,)), Candidate((4, 5, 6))]
    assert places(candidates) == [3, 0, 1, 2]


def test_student_who_has_an_adult_by_then_counts_no_more():
    candidates = [Candidate((1, 2, 3, 7)), Candidate((2, 3)), Candidate((4,)), Candidate((3, 5, 6))]
    assert [choice.students for choice in choose(candidates, set())] == [(1, 2, 3, 7), (5, 6), (4,)]


def test_urgent_students_come_before_more_others():
    candidates = [Candidate((1, 2, 3)), Candidate((4,)), Candidate((4, 5))]
    assert places(candidates, urgent={4}) == [2, 0]


def test_least_effort_decides_between_equals_then_the_order_of_the_input():
    candidates = [Candidate((1,), effort=2), Candidate((2,)), Candidate((3,)), Candidate((4, 5), effort=9)]
    assert places(candidates) == [3, 1, 2, 0]


def test_of_equals_the_one_whose_students_have_fewest_other_ways_comes_first():
    candidates = [Candidate((2, 3)), Candidate((1, 2)), Candidate((3, 4))]
    assert places(candidates) == [1, 2]


def test_each_student_is_helped_once():
    random = Random(1)  # noqa: S311
    candidates = random_families.shuffled(random, random_families.families(random, 500))
    students = [student for choice in choose(candidates, set()) for student in choice.students]
    assert sorted(students) == sorted(set(chain.from_iterable(candidate.students for candidate in candidates)))
    assert len(students) == len(set(students))


def test_it_is_close_to_the_optimum_in_random_districts():
    for seed in range(DISTRICTS):
        random = Random(seed)  # noqa: S311
        found = random_families.families(random, random.randint(60, 120))
        ours = helped(random_families.shuffled(random, found))
        for number, (reached, best) in enumerate(zip(ours, best_of_all(found)[1:], strict=False), start=1):
            assert reached >= SHARE * best, (seed, number)

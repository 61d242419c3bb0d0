"""Turns among sources: all are asked, then mostly the one that has saved most for what it used."""

from treesketch.search.turns import EXPLORED, Turns


def take(turns: Turns, worth: list[float], count: int) -> list[int]:
    """Who was asked, where each source saves its worth in each turn, and every turn takes a hundredth."""
    asked = []
    for _ in range(count):
        source = turns.next()
        asked.append(source)
        turns.note(source, worth[source], 0.01)
    return asked


def test_each_is_asked_once_before_any_is_asked_again() -> None:
    assert sorted(take(Turns(3), [1.0, 0.0, 5.0], 3)) == [0, 1, 2]


def test_what_saves_most_is_asked_most_and_the_others_are_not_forgotten() -> None:
    turns = Turns(2)
    asked = take(turns, [0.0, 1.0], 40)
    assert turns.taken == [asked.count(0), asked.count(1)]
    assert asked.count(0) == 40 // EXPLORED


def test_what_a_turn_uses_counts() -> None:
    turns = Turns(2)
    turns.note(0, 2.0, 0.4)
    turns.note(1, 1.0, 0.1)
    turns.note(1, 0.0, 0.05)
    assert turns.next() == 1  # 1 / .15 against 2 / .4


def test_one_source_has_all_turns() -> None:
    assert take(Turns(1), [0.0], 9) == [0] * 9

"""Whose turn it is among sources of proposals: what each turn used and brought in, the number of a source out."""

EXPLORED = 4  # every so many turns the source that has had fewest is asked, whatever it brought


class Turns:
    """Turns shared among `sources` sources: mostly to the one that has saved most for what it used."""

    def __init__(self, sources: int):
        self.taken = [0] * sources
        self._saved = [0.0] * sources
        self._used = [0.0] * sources

    def next(self) -> int:
        """The number of the source whose turn it is; each has one before any has a second."""
        numbers = range(len(self.taken))
        if 0 in self.taken or sum(self.taken) % EXPLORED == 0:
            return min(numbers, key=lambda k: self.taken[k])
        return max(numbers, key=lambda k: self._saved[k] / self._used[k] if self._used[k] else 0.0)

    def note(self, source: int, saved: float, used: float) -> None:
        """A turn of a source is over: it used that share of what there is, and saved so much of the cost."""
        self.taken[source] += 1
        self._saved[source] += saved
        self._used[source] += used

"""An index of people by the beginnings of their words: one sorted list, which a search reads where its word begins.

A search costs as much as the people whom its rarest word finds, and stops when its page is full.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from api.people.words import Word, fold, words_of
from hub.accounts.person import Person

_SEPARATOR = "\x00"
_BEYOND = "\U0010ffff"
"""Sorts after every text that begins with what is before it."""
_MATCHING = 8
"""To compare a person with a query takes as long as to read this many entries, with the sorting."""
_FOLDED = 50_000
"""People whose folded words are kept, about 600 bytes each: folding takes far longer than comparing."""
_Range = tuple[int, int]


class PeopleIndex:
    """People by id, and the entries of their words.

    An entry is the word, the folded name and the number of the person, so that people with the same word are found in
    the order of their names. 100,000 people have some 600,000 entries.
    """

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._people: list[Person] = []
        self._numbers: dict[str, int] = {}
        self._entries: list[str] = []
        self._words: dict[int, str] = {}
        """The words of people who were compared with a query, by their numbers, each behind a separator."""
        for person in people:
            self._entries += self._number(person)
        self._entries.sort()

    def __len__(self) -> int:
        return len(self._numbers)

    def get(self, person_id: str) -> Person | None:
        """Return the person with this id."""
        number = self._numbers.get(person_id)
        return None if number is None else self._people[number]

    def put(self, person: Person) -> None:
        """Add a person, or replace what is known of the person."""
        before = self.get(person.id)
        if before == person:
            return
        if before is not None:
            for entry in self._entries_of(before):
                del self._entries[bisect_left(self._entries, entry)]
        for entry in self._number(person):
            insort(self._entries, entry)

    def search(
        self,
        words: Sequence[Word],
        limit: int,
        among: Collection[str] | None = None,
        wanted: Callable[[Person], bool] = lambda _: True,
    ) -> list[Person]:
        """Return at most `limit` people whom all words find, by the word that was found, then by name.

        `among` are the ids of the people to look at (None: all); `wanted` says who is shown.
        """
        if not words:
            return []
        rarest = min(words, key=lambda word: _size(self._ranges(word)))
        ranges = self._ranges(rarest)
        candidates = self._found(ranges)
        if among is not None and len(among) * _MATCHING < self._expected(ranges, len(words), limit, among):
            numbers = (self._numbers[id_] for id_ in among if id_ in self._numbers)
            candidates = iter(sorted(numbers, key=self._sorted_at))
            ranges = []
        # Who is in the range of the only text of a word has been found by it.
        others = [word for word in words if not ranges or word is not rarest or word.texts > 1]
        found: dict[int, Person] = {}
        for number in candidates:
            person = self._people[number]
            if number in found or (among is not None and person.id not in among):
                continue
            if wanted(person) and (not others or _matches(others, self._folded(number))):
                found[number] = person
                if len(found) == limit:
                    break
        return list(found.values())

    def _expected(self, ranges: Iterable[_Range], words: int, limit: int, among: Collection[str]) -> int:
        """Return how many entries of the ranges will probably be read: one word alone soon fills a page."""
        size = _size(ranges)
        return size if words > 1 else min(size, limit * len(self) // max(1, len(among)))

    def _number(self, person: Person) -> list[str]:
        """Store a person under a number, the earlier one if there is one. Return the entries."""
        number = self._numbers.setdefault(person.id, len(self._people))
        if number == len(self._people):
            self._people.append(person)
        else:
            self._people[number] = person
            self._words.pop(number, None)
        return self._entries_of(person)

    def _entries_of(self, person: Person) -> list[str]:
        end = f"{_SEPARATOR}{fold(person.name)}{_SEPARATOR}{self._numbers[person.id]}"
        return [word + end for word in words_of(person)]

    def _ranges(self, word: Word) -> list[_Range]:
        """Return where the entries are of the people whom the word may find: for each alternative its rarest text."""
        return [min((self._range(text) for text in texts), key=_length) for texts in word.alternatives]

    def _range(self, text: str) -> _Range:
        first = bisect_left(self._entries, text)
        return first, bisect_left(self._entries, text + _BEYOND, lo=first)

    def _found(self, ranges: Iterable[_Range]) -> Iterator[int]:
        """Yield the numbers of the people whose entries are in the ranges, in their order."""
        for first, end in ranges:
            for position in range(first, end):
                yield int(self._entries[position].rpartition(_SEPARATOR)[2])

    def _sorted_at(self, number: int) -> tuple[str, str]:
        return self._folded(number), self._people[number].id

    def _folded(self, number: int) -> str:
        """Return the folded name of a person and the words, each behind a separator. It sorts by the name."""
        if (kept := self._words.get(number)) is None:
            if len(self._words) >= _FOLDED:
                self._words.clear()
            person = self._people[number]
            kept = self._words[number] = _SEPARATOR.join(("", fold(person.name), *words_of(person)))
        return kept


def _matches(words: Iterable[Word], of_person: str) -> bool:
    return all(
        any(all(_SEPARATOR + text in of_person for text in texts) for texts in word.alternatives) for word in words
    )


def _length(of_range: _Range) -> int:
    return of_range[1] - of_range[0]


def _size(ranges: Iterable[_Range]) -> int:
    return sum(map(_length, ranges))

"""Whom a search finds: by what people type, however the name is written."""

import random

import pytest

from api.people.index import PeopleIndex
from api.people.words import query_words
from hub.accounts.person import Person

NAMES = {
    "mueller": "Jürgen Müller",
    "oslo": "Kåre Ødegård",
    "krakow": "Łukasz Wójcik",
    "madrid": "Íñigo Peña",
    "strasse": "Ute Weißenberg",
    "cork": "Siobhán O\N{RIGHT SINGLE QUOTATION MARK}Brien-Smith",
    "istanbul": "Işıl Çağlar",  # noqa: RUF001  # names as people write them
    "athens": "Γιώργος Παπαδόπουλος",
    "kyiv": "Ганна Іваненко",
    "hanoi": "Nguyễn Thị Ánh",
    "anna": "Anna Berg",
    "hannah": "Hannah Bergmann",
}


def person(id_: str, name: str, phone: str | None = None, email: str | None = None) -> Person:
    return Person(id_, "patient", name, email, phone, has_log_in=True)


PEOPLE = PeopleIndex(
    [
        *(person(id_, name) for id_, name in NAMES.items()),
        person("phone", "Tom", "+4930901820", "tom.o_neill+x@clinic.test"),
        person("us", "Sue", "+12025550123"),
    ]
)


def found(query: str, index: PeopleIndex = PEOPLE, **more: object) -> list[str]:
    return [each.id for each in index.search(query_words(query), **{"limit": 20, **more})]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        *(
            (query, ["mueller"])
            for query in ("müller", "MULLER", "mueller", "mü", "Mu\u0308ller", "jürgen mul", "mull jue")
        ),
        *((query, ["oslo"]) for query in ("ødegård", "odegard", "oedegaard", "kaare", "kare ode")),
        *((query, ["krakow"]) for query in ("łukasz", "lukasz", "WOJCIK", "wójc")),
        *((query, ["madrid"]) for query in ("inigo", "íñ", "pena", "peñ")),
        *((query, ["strasse"]) for query in ("weiß", "weiss", "WEISS", "WEIẞENB")),
        *((query, ["cork"]) for query in ("o'brien", "obrien", "O\u2019Brien", "smith", "brien smith", "siobhan")),
        *((query, ["istanbul"]) for query in ("isil", "ışıl", "IŞIL", "caglar")),  # noqa: RUF001  # names as people write them
        *((query, ["athens"]) for query in ("γιωργος", "ΠΑΠΑΔ", "Παπαδό")),
        *((query, ["kyiv"]) for query in ("ганна", "ІВАН")),  # noqa: RUF001  # names as people write them
        *((query, ["hanoi"]) for query in ("nguyen", "thi anh", "Nguyễn")),
        ("berg", ["anna", "hannah"]),
        ("bergm", ["hannah"]),
        ("anna", ["anna"]),
        ("berg an", ["anna"]),
        ("anna anna berg", ["anna"]),
        *(
            (query, ["phone"])
            for query in ("+49 30 901", "0049 30901820", "030 / 901820", "(030) 90", "30901", "tom 030")
        ),
        *((query, ["phone"]) for query in ("tom.o_neill", "TOM.O_NEILL+X@", "tom.o_neill+x@clinic.test")),
        *((query, ["us"]) for query in ("202 555", "(202) 555-0123", "1202", "+1 (202)")),
        *((query, []) for query in ("erg", "nna", "901820", "clinic.test", "berg zz", "0000", "00")),
    ],
)
def test_people_are_found_by_what_one_types(query: str, ids: list[str]) -> None:
    assert found(query) == ids


@pytest.mark.parametrize("query", [".*", "$gt", "%", "__", '"anna"x', "{}", "\x00\x00", "' or 1", "[a-z]"])
def test_what_is_no_beginning_of_a_word_finds_nobody(query: str) -> None:
    assert found(query) == []


@pytest.mark.parametrize("query", ["^ann", "ann%", "ann*", "ann\\", '"ann', "$ann", "-ann", "ann?"])
def test_no_sign_is_an_operator(query: str) -> None:
    assert found(query) == found("ann") == ["anna"]


def test_a_page_is_as_long_as_asked_and_in_the_order_of_word_and_name() -> None:
    index = PeopleIndex([person(f"p{number:03}", f"Ann{letter} Zoe") for number, letter in enumerate("cab")])
    assert found("ann", index) == ["p001", "p002", "p000"]
    assert found("zoe", index, limit=2) == ["p001", "p002"]


def test_who_is_renamed_is_found_by_the_new_name_only() -> None:
    index = PeopleIndex([person("p", "Anna Berg", "+12025550123"), person("q", "Anna Berg")])
    index.put(person("p", "Anna Lund"))
    assert (found("berg", index), found("lund", index), found("1202", index)) == (["q"], ["p"], [])
    assert sorted(found("anna", index)) == ["p", "q"]
    assert len(index) == 2


def test_a_search_finds_whom_a_look_at_everybody_finds() -> None:
    chance = random.Random(7)
    syllables = ["an", "na", "mü", "ler", "ber", "gø", "łu", "o'", "-", " "]
    names = ["".join(chance.choices(syllables, k=chance.randint(2, 6))).strip() or "x" for _ in range(100)]
    people = [person(str(number), name, f"+4930{chance.randrange(10**6):06}") for number, name in enumerate(names)]
    index = PeopleIndex(people[:50])
    for one in people[50:]:
        index.put(one)
    for _ in range(80):
        query = " ".join(chance.choice([*syllables, "+4930", "030", "1", "ann"]) for _ in range(chance.randint(1, 3)))
        words = query_words(query)
        alone = {one.id for one in people if found(query, PeopleIndex([one]))}
        assert {each.id for each in index.search(words, 1000)} == alone
        among = {str(number) for number in chance.sample(range(100), chance.choice([3, 80]))}
        assert {each.id for each in index.search(words, 1000, among)} == alone & among

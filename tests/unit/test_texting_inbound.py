"""The intent of inbound texts."""

import pytest

from hub.texting.inbound import CARRIERS_HELP, CARRIERS_START, CARRIERS_STOP, Intent, intent_of


@pytest.mark.parametrize(
    "body",
    [
        "1",
        " 1 ",
        "1.",
        "(1)",
        '"1"',
        "#1",
        "1!",
        "1 please",
        "1, thanks",
        "Ok 1",
        "One",
        "ONE.",
        "1 confirm",
        "confirm",
        "CONFIRMED",
        "Confirm appointment",
        "I confirm",
        "yes, I confirm",
        "I will confirm",
        "1\n",
        "1\N{VARIATION SELECTOR-16}\N{COMBINING ENCLOSING KEYCAP}",
        "\N{FULLWIDTH DIGIT ONE}",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "\N{DEVANAGARI DIGIT ONE}",
        "\N{CIRCLED DIGIT ONE}",
    ],
)
def test_a_one_in_any_form_confirms(body: str) -> None:
    assert intent_of(body) is Intent.CONFIRM


@pytest.mark.parametrize(
    "body",
    [
        "2",
        "2.",
        " 2\n",
        "2 please",
        "Two",
        "2 cancel",
        "cancel please",
        "Cancel my appointment",
        "I want to cancel",
        "I would like to cancel",
        "cancel it",
        "\N{FULLWIDTH DIGIT TWO}",
        "2\N{COMBINING ENCLOSING KEYCAP}",
    ],
)
def test_a_two_in_any_form_cancels(body: str) -> None:
    assert intent_of(body) is Intent.CANCEL


@pytest.mark.parametrize("word", sorted(CARRIERS_STOP))
def test_each_word_that_makes_carriers_block_us_stops_texts(word: str) -> None:
    for body in (word, word.upper(), word.title(), f" {word}\n", f"{word}.", f"“{word}”"):
        assert intent_of(body) is Intent.STOP, body


@pytest.mark.parametrize(
    "body",
    [
        "stop please",
        "Please stop",
        "Stop all",
        "opt out",
        "Opt-Out",
        "STOP!!!",
        "stop texting me",
        "Stop sending me texts",
        "unsubscribe me",
        "Stop these messages",
        "I want to stop these texts",
    ],
)
def test_stop_is_understood_where_carriers_do_not(body: str) -> None:
    assert intent_of(body) is Intent.STOP


@pytest.mark.parametrize("word", sorted(CARRIERS_START))
def test_each_word_that_lets_us_text_again_starts(word: str) -> None:
    for body in (word, word.upper(), f"{word}!"):
        assert intent_of(body) is Intent.START, body


@pytest.mark.parametrize("body", [*sorted(CARRIERS_HELP), "HELP", "Help!", "Help me", "help please"])
def test_help_is_understood(body: str) -> None:
    assert intent_of(body) is Intent.HELP


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "?",
        "12",
        "21",
        "1 2",
        "1 or 2?",
        "3",
        "11",
        "1st",
        "2pm works",
        "2 pm?",
        "1 of my kids is ill",
        "1 cancel",
        "confirm 2",
        "2 confirm",
        "don't cancel",
        "do not cancel",
        "please don't stop",
        "no",
        "running late",
        "2 hours late",
        "stop my appointment",
        "cancel 1",
        "when is it",
        "I can't confirm",
        "\N{THUMBS UP SIGN}",
        "end of the day?",
        "yes or no",
        "½",
        "1.2",
    ],
)
def test_an_unclear_text_has_no_intent(body: str) -> None:
    assert intent_of(body) is Intent.OTHER


def test_twilios_opt_out_type_overrides_the_words() -> None:
    assert intent_of("ARRET", "STOP") is Intent.STOP
    assert intent_of("1", "START") is Intent.START
    assert intent_of("info", "HELP") is Intent.HELP
    assert intent_of("1", "") is Intent.CONFIRM
    assert intent_of("1", "NEWS") is Intent.CONFIRM

import itertools
import re

import pytest

from api.pages.colors import contrast, readable, theme

SOME = [*itertools.product((0, 85, 170, 255), repeat=3)]
LIGHT, DARK = (255, 255, 255), (19, 23, 31)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), (255, 255, 255)) == 1
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("page", [LIGHT, DARK])
@pytest.mark.parametrize("color", SOME)
def test_every_colour_becomes_readable(color: tuple[int, int, int], page: tuple[int, int, int]) -> None:
    text = readable(color, page)
    assert contrast(text, page) >= 4.5
    if contrast(color, page) >= 4.5:
        assert text == color


@pytest.mark.parametrize("color", SOME)
def test_the_text_on_a_button_is_readable(color: tuple[int, int, int]) -> None:
    css = theme("#{:02x}{:02x}{:02x}".format(*color))
    for name, count in (("button", 2), ("on-button", 2), ("text", 2), ("button-hover", 2)):
        assert len(re.findall(f"--clinic-{name}:#[0-9a-f]{{6}}", css)) == count
    button, on_button = (
        tuple(bytes.fromhex(re.search(f"--clinic-{name}:#([0-9a-f]{{6}})", css)[1])) for name in ("button", "on-button")
    )
    assert contrast(button, on_button) >= 4.5

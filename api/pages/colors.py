"""The clinic's colour, made readable: WCAG 2.2 asks for a contrast of 4.5 between text and what is behind it."""

from typing import Final

_CONTRAST: Final = 4.5
_BLACK: Final = (0, 0, 0)
_WHITE: Final = (255, 255, 255)
_LIGHT_PAGE: Final = (232, 232, 232)
_DARK_PAGE: Final = (45, 48, 57)
"""The darkest background that text has in Pico's light scheme, the lightest in its dark one: a card with `--tint`."""
_STEPS: Final = 20

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


def theme(color: str) -> str:
    """Return the stylesheet for a clinic's colour (`#rrggbb`): of buttons, of text on them, and of links."""
    chosen = _parse(color)
    light = _rule(chosen, readable(chosen, _LIGHT_PAGE))
    dark = _rule(chosen, readable(chosen, _DARK_PAGE))
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def icon(color: str) -> str:
    """Return the icon of the pages, a cross in the clinic's colour (`#rrggbb`), as SVG."""
    button = _parse(color)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{_css(button)}"/>'
        f'<path d="M13 7h6v6h6v6h-6v6h-6v-6H7v-6h6z" fill="{_css(_on(button))}"/></svg>'
    )


def readable(color: Color, page: Color) -> Color:
    """Return the colour, made darker or lighter until text in it can be read on a page of that colour."""
    towards = _BLACK if contrast(_BLACK, page) > contrast(_WHITE, page) else _WHITE
    mixed = (_mix(color, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(each for each in mixed if contrast(each, page) >= _CONTRAST)


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _rule(button: Color, text: Color) -> str:
    on_button = _on(button)
    return (
        f"--clinic-button:{_css(button)};--clinic-on-button:{_css(on_button)};--clinic-text:{_css(text)};"
        f"--clinic-button-hover:{_css(_mix(button, _BLACK if on_button == _WHITE else _WHITE, 0.15))}"
    )


def _on(button: Color) -> Color:
    """Return the colour of text on a button: white or black, whichever can be read better."""
    return max((_WHITE, _BLACK), key=lambda each: contrast(each, button))


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(each / 255) for each in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  # of sRGB


def _mix(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _parse(color: str) -> Color:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def _css(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)

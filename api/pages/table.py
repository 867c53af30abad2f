"""The table of the pages for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["en", "de"]
LANGUAGES: Final[Sequence[Language]] = ("en", "de")
"""The languages of the pages; the first is that of browsers that ask for none of them."""


@dataclass(frozen=True)
class Page:
    """A page: its path, the module in `api/pages` that draws it, and its title in both languages.

    `styles`: stylesheets that not all pages have.
    """

    path: str
    module: str
    en: str
    de: str
    styles: Sequence[str] = ()

    def title(self, language: Language) -> str:
        """Return the title in this language."""
        return self.en if language == "en" else self.de


PAGES: Final[Sequence[Page]] = (
    Page("/", "home/page.js", "Welcome", "Willkommen"),
    Page("/sign-in", "sign_in/page.js", "Sign in", "Anmelden"),
    Page("/sign-up", "sign_up/page.js", "Sign up", "Registrieren"),
    Page("/forgotten", "forgotten/page.js", "Forgotten password", "Passwort vergessen"),
    Page("/book", "book/page.js", "Book an appointment", "Termin buchen"),
    Page("/mine", "mine/page.js", "My appointments", "Meine Termine"),
    Page("/day", "day/page.js", "Your day", "Ihr Tag", styles=["staff/style.css"]),
    Page(
        "/figures",
        "figures/page.js",
        "Figures",
        "Statistik",
        styles=["staff/style.css", "figures/style.css", "vendor/uplot.min.css"],
    ),
    Page("/account", "account/page.js", "Your account", "Ihr Konto", styles=["account/style.css"]),
    Page("/display", "display/page.js", "Waiting room", "Wartezimmer", styles=["display/style.css"]),
    Page("/desk", "desk/page.js", "Front desk", "Empfang", styles=["staff/style.css", "desk/style.css"]),
)
MISSING: Final = Page("", "missing/page.js", "Page not found", "Seite nicht gefunden")
"""What a browser gets at an address where there is nothing."""

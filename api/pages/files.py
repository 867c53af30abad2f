"""The files of the pages, under addresses that change when any of them changes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from gzip import compress
from hashlib import blake2b
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
_TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_COMMENTS: Mapping[str, re.Pattern[str]] = {
    ".js": re.compile(r"/\*\*.*?\*/|^ *//[^\n]*", re.DOTALL | re.MULTILINE),
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
}
"""The comments of our files. In modules: JSDoc, and lines that are nothing else. A test compares what is left."""
_DOCUMENTS: Final = frozenset({"docs.js", "redoc.css", "redoc", "swagger-ui"})
"""What the pages of the documents consist of, which have addresses of their own."""


@dataclass(frozen=True)
class File:
    """A file as it is sent, and the same compressed."""

    content: bytes
    gzipped: bytes
    media_type: str


class Files:
    """All files of the pages in memory, about half a megabyte. `version` is the hash of all of them.

    The modules of a page import each other by relative addresses, so the hash is a folder above all of them, and is one
    for all: a page never loads the module of one version beside that of another.
    """

    def __init__(self, made: Mapping[str, str]) -> None:
        """Take the files that are not in the folder, by their name: text of the same kinds."""
        found = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in sorted(_FOLDER.rglob("*.*"))}
        shown = {name: _sent(name, content) for name, content in found.items() if _is_shown(name)}
        contents = shown | {name: text.encode() for name, text in made.items()}
        self._files = {name: _file(name, content) for name, content in contents.items()}
        digest = blake2b(digest_size=10)
        for name, content in contents.items():
            digest.update(b"%d %b %d " % (len(name), name.encode(), len(content)) + content)
        self.version = digest.hexdigest()

    def __getitem__(self, name: str) -> File:
        """Return the file of this name, such as `book/page.js`. Raises `KeyError`."""
        return self._files[name]

    def translated(self, name: str, language: str) -> File:
        """Return the file that readers of a language get under this name: `words.de.js` for `words.js`, if it exists.

        Raises `KeyError`.
        """
        own = self._files.get(f"{name.removesuffix('.js')}.{language}.js")
        return own or self._files[name]

    @property
    def names(self) -> frozenset[str]:
        """The names of all files."""
        return frozenset(self._files)


def _is_shown(name: str) -> bool:
    return Path(name).suffix in _TYPES and Path(name).parts[0] not in _DOCUMENTS


def _sent(name: str, content: bytes) -> bytes:
    """Return a file of ours without its comments, a quarter of a module's size; lines keep their numbers."""
    comment_of = _COMMENTS.get(Path(name).suffix)
    if comment_of is None or name.startswith("vendor/"):
        return content
    return comment_of.sub(lambda comment: "\n" * comment[0].count("\n"), content.decode()).encode()


def _file(name: str, content: bytes) -> File:
    # The time is left out, so that every process makes the same bytes.
    return File(content, compress(content, mtime=0), _TYPES[Path(name).suffix])

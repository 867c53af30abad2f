"""Copies the packages that the pages use from node_modules into api/pages/vendor: `make vendor`.

package-lock.json says which versions, and npm checks their hashes. A test compares the copies with the packages.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
MODULES: Final = ROOT / "node_modules"
VENDOR: Final = ROOT / "api" / "pages" / "vendor"
COPIES: Mapping[str, str] = {
    "htm-preact.js": "htm/preact/standalone.module.js",
    "htm.LICENSE": "htm/LICENSE",
    "preact.LICENSE": "preact/LICENSE",  # a part of htm's file
    "socket.io.esm.min.js": "socket.io-client/dist/socket.io.esm.min.js",
    "socket.io.LICENSE": "socket.io-client/LICENSE",
    "lean-qr.js": "lean-qr/index.mjs",
    "lean-qr.LICENSE": "lean-qr/LICENSE",
    "uplot.esm.js": "uplot/dist/uPlot.esm.js",
    "uplot.min.css": "uplot/dist/uPlot.min.css",
    "uplot.LICENSE": "uplot/LICENSE",
    "pico.classless.min.css": "@picocss/pico/css/pico.classless.min.css",
    "pico.LICENSE": "@picocss/pico/LICENSE.md",
}
"""The file in node_modules for each file in api/pages/vendor."""


def main() -> None:
    """Copy all files."""
    for name, source in COPIES.items():
        (VENDOR / name).write_bytes((MODULES / source).read_bytes())


if __name__ == "__main__":
    main()

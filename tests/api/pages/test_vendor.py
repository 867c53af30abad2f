"""The copies of packages are those that package-lock.json names; `make vendor` renews them."""

import json

from tests.tools.vendor import COPIES, MODULES, ROOT, VENDOR


def test_each_copy_is_the_file_of_the_locked_package() -> None:
    assert {path.name for path in VENDOR.iterdir() if path.suffixes[-2:] != [".d", ".ts"]} == set(COPIES)
    for name, source in COPIES.items():
        assert (VENDOR / name).read_bytes() == (MODULES / source).read_bytes(), f"{name}: run `make vendor`"


def test_the_installed_packages_are_the_locked_ones_and_licensed() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for source in COPIES.values():
        package = "/".join(source.split("/")[: 2 if source.startswith("@") else 1])
        installed = json.loads((MODULES / package / "package.json").read_text())
        assert installed["version"] == locked[f"node_modules/{package}"]["version"]
        assert installed["license"] in {"MIT", "Apache-2.0"}
        assert any(name.endswith("LICENSE") and path.startswith(package) for name, path in COPIES.items())

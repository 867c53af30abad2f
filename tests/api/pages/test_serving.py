"""The pages for people as they are served: their headers, their files, their languages."""

import json
import re
import subprocess
from collections.abc import Mapping

import pytest
from yarl import URL

from api.pages.files import Files
from api.pages.routes import PATHS, language_of
from api.pages.table import LANGUAGES, PAGES, Language
from tests.api.conftest import OpenClinic
from tests.api.rest_clinic import RestClinic, make_services
from tests.tools.vendor import ROOT

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
LARGER = {"/desk": 76_000, "/figures": 108_000}
"""Bytes that a page's first view may have, if not 60,000."""
FILE = re.compile(r'(?:src|href)="(/[^"]+)"')


async def page(
    clinic: RestClinic, path: str, headers: Mapping[str, str] = BROWSER
) -> tuple[int, Mapping[str, str], str]:
    async with clinic.client.get(path, headers=headers) as response:
        return response.status, response.headers, await response.text()


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_a_page_may_load_and_run_nothing_but_the_hubs_own_files(clinic: RestClinic, path: str) -> None:
    status, headers, text = await page(clinic, path)
    policy = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
    assert status == 200
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert headers["Cache-Control"] == "no-cache"
    assert not re.findall(r"<script(?![^>]*src=)|style=|//[a-z]", text)
    for address in FILE.findall(text):
        async with clinic.client.get(address) as file:
            assert file.status == 200
            assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", sorted(PATHS))
async def test_the_first_view_of_a_page_is_small(clinic: RestClinic, path: str, language: Language) -> None:
    _, _, text = await page(clinic, path, {**BROWSER, "Accept-Language": language})
    wanted, seen, size = set(FILE.findall(text)), set(), len(text)
    while wanted:
        address = wanted.pop()
        seen.add(address)
        async with clinic.client.get(address, auto_decompress=False) as file:
            content = await file.read()
            assert file.headers["Content-Encoding"] == "gzip"
            size += len(content)
        async with clinic.client.get(address) as file:
            source = await file.text()
        if address.endswith(".js"):
            imported = re.findall(r'from "(\.[^"]+)"', source)
            wanted |= {str(clinic.client.make_url(address).join(URL(each)).path) for each in imported} - seen
    assert any("preact" in address for address in seen)
    assert size < LARGER.get(path, 60_000)


async def test_every_import_of_a_module_is_a_file_that_is_served() -> None:
    files = Files({})
    for name in sorted(files.names):
        if name.endswith(".js") and not name.startswith("vendor/"):
            for imported in re.findall(
                r'^(?:import|export) [^;]*?from "([^"]+)"', files[name].content.decode(), re.MULTILINE
            ):
                assert imported.startswith("."), f"{name} imports {imported}: a browser finds relative addresses only"
                path = [*name.split("/")[:-1], *imported.split("/")]
                while ".." in path:
                    index = path.index("..")
                    del path[index - 1 : index + 1]
                assert "/".join(each for each in path if each != ".") in files.names
    assert all(each.module in files.names for each in PAGES)


COMPARE = """
import { tokenize } from "espree";
let given = "";
for await (const part of process.stdin) given += part;
const tokens = (text) => JSON.stringify(tokenize(text, { ecmaVersion: "latest", sourceType: "module", loc: true })
  .map(({ type, value, loc }) => [type, value, loc.start.line]));
for (const [name, [written, sent]] of Object.entries(JSON.parse(given)))
  if (tokens(written) !== tokens(sent)) console.log(name);
"""


def test_modules_are_sent_without_comments_and_otherwise_as_they_are_written() -> None:
    files, folder = Files({}), ROOT / "api" / "pages"
    names = [name for name in files.names if name.endswith(".js") and not name.startswith("vendor/")]
    pairs = {name: [(folder / name).read_text(), files[name].content.decode()] for name in names}
    assert not [name for name, (_, sent) in pairs.items() if "/**" in sent or "@param" in sent]
    assert b"/*" not in files["shared/style.css"].content
    node = subprocess.run(
        ["node", "--input-type=module", "--eval", COMPARE],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (node.stdout, node.stderr) == ("", "")


async def test_a_file_of_another_version_is_served_but_not_kept(clinic: RestClinic) -> None:
    async with clinic.client.get("/pages/0123456789/shared/style.css") as file:
        assert (file.status, file.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "name", ["nothing.js", "../app.py", "%2e%2e/app.py", "routes.py", "docs.html", "redoc/LICENSE", "hub-client.d.ts"]
)
async def test_nothing_else_of_the_folder_is_served(clinic: RestClinic, name: str) -> None:
    async with clinic.client.get(f"/pages/{Files({}).version}/{name}") as file:
        assert file.status == 404


async def test_the_address_of_the_files_changes_with_the_clinics_colour(open_for_test: OpenClinic) -> None:
    texts = []
    for color in ("#0b6e6e", "#aa0044"):
        _, _, text = await page(await open_for_test(await make_services(clinic_color=color)), "/")
        texts.append(re.search(r"/pages/([\w-]+)/theme.css", text)[1])
    assert texts[0] != texts[1]


async def test_the_clinics_name_is_on_every_page_as_text(open_for_test: OpenClinic) -> None:
    clinic = await open_for_test(await make_services(clinic_name='Smith & "Sons" <b>', texts_unicode=True))
    _, _, text = await page(clinic, "/")
    assert "Smith &amp; &quot;Sons&quot; &lt;b&gt;" in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "de", "de"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "en-GB,en;q=0.9,de;q=0.8", "en"),
        (None, "fr-FR,fr;q=0.9,de;q=0.5,en;q=0.4", "de"),
        (None, "fr", "en"),
        (None, "de;q=0", "en"),
        ("de", "en", "de"),
        ("en", "de", "en"),
        ("<b>", "de", "de"),
        (None, "\x00;;q=,de;q=9", "de"),
    ],
)
def test_the_language_is_the_one_chosen_or_the_best_of_the_browsers(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert language_of(chosen, accepted) == language


async def test_a_page_gets_the_words_of_its_language(clinic: RestClinic) -> None:
    for language, said in (("en", "Sign in"), ("de", "Anmelden")):
        _, _, text = await page(clinic, "/sign-in", {"Accept-Language": language})
        address = next(address for address in FILE.findall(text) if address.endswith("/shared/words.js"))
        async with clinic.client.get(address) as file:
            assert f'signIn: "{said}"' in await file.text()


async def test_a_page_says_in_which_language_it_is(clinic: RestClinic) -> None:
    _, headers, text = await page(clinic, "/sign-in", {"Accept-Language": "de"})
    assert '<html lang="de">' in text
    assert "<title>Anmelden · Clinic Hub</title>" in text
    assert (headers["Content-Language"], headers["Vary"]) == ("de", "Accept-Language, Cookie")


async def test_an_unknown_address_is_a_page_for_a_browser_and_a_problem_for_a_program(clinic: RestClinic) -> None:
    status, headers, text = await page(clinic, "/nothing")
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "Page not found" in text
    assert "unsafe" not in headers["Content-Security-Policy"]
    for path, accept in (("/nothing", "*/*"), ("/nothing", "application/json"), ("/api/v1/nothing", "text/html")):
        answer = await clinic.ask("GET", path, headers={"Accept": accept})
        assert (answer.status, answer.code) == (404, "not_found")


async def test_what_does_not_exist_in_the_api_is_a_problem_for_a_browser_too(clinic: RestClinic) -> None:
    answer = await clinic.ask("GET", "/api/v1/doctors/nobody", headers=BROWSER)
    assert (answer.status, answer.code) == (404, "not_found")

from __future__ import annotations

import gzip
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest

from show.pages import Pages, files_of_the_pages
from tests.events import http_event

FILES = {
    "index.html": b'<script type="module" src="{files}main.js"></script>',
    "main.js": b"import './trace/page.js'",
    "trace/page.js": b"export {}",
    "style.css": b"body{}",
}
ELSEWHERE = "https://bucket.s3.eu-central-1.amazonaws.com"


def asked(path: str, method: str = "GET", files: Mapping[str, bytes] = FILES, **headers: str) -> dict[str, Any]:
    event = http_event(method, path, route_key=f"{method} /ui/{{proxy+}}", headers=headers, context=None)
    return Pages(files, ELSEWHERE).answer(event)


def script_of(answer: Mapping[str, object]) -> str:
    found = re.search('src="([^"]+)"', str(answer["body"]))
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/ui/", "/ui/search", "/ui/trace/5b8efff798038103d269b633813fc60c", "/ui/no/such"])
def test_every_page_is_the_same_document_which_is_asked_for_anew(path: str) -> None:
    answer = asked(path)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert answer["headers"]["cache-control"] == "no-cache"
    assert answer["body"] == asked("/ui/search")["body"]


def test_the_root_leads_to_the_pages() -> None:
    answer = asked("/")
    assert answer["statusCode"] == 302
    assert answer["headers"]["location"] == "/ui/search"


def test_what_the_document_loads_is_kept_for_good() -> None:
    answer = asked(script_of(asked("/ui/")))
    assert answer["statusCode"] == 200
    assert answer["body"] == "import './trace/page.js'"
    assert answer["headers"]["content-type"] == "text/javascript; charset=utf-8"
    assert answer["headers"]["cache-control"] == "public, max-age=31536000, immutable"


def test_another_version_lies_under_another_path_and_never_mixes_with_this_one() -> None:
    path = script_of(asked("/ui/"))
    newer = {**FILES, "trace/page.js": b"export default 1"}
    assert script_of(asked("/ui/", files=newer)) != path
    answer = asked(path, files=newer)
    assert answer["statusCode"] == 404
    assert "load the page again" in str(answer["body"])
    assert answer["headers"]["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["../handler.py", "..%2fpages.py", "index.html", "", "/etc/passwd"])
def test_nothing_but_the_pages_files_is_served(name: str) -> None:
    folder = script_of(asked("/ui/")).removesuffix("main.js")
    assert asked(folder + name)["statusCode"] == 404


def test_a_page_runs_scripts_of_its_own_origin_alone_and_asks_no_other_but_for_large_answers() -> None:
    policy = dict(rule.split(" ", 1) for rule in asked("/ui/")["headers"]["content-security-policy"].split("; "))
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["connect-src"] == f"'self' {ELSEWHERE}"


@pytest.mark.parametrize("path", ["/", "/ui/", "/ui/files/x"])
def test_pages_are_read_and_nothing_else(path: str) -> None:
    answer = asked(path, "POST")
    assert answer["statusCode"] == 405
    assert answer["headers"]["allow"] == "GET, HEAD"


def test_a_head_has_no_body() -> None:
    assert asked("/ui/", "HEAD")["body"] == ""


def test_a_large_file_travels_compressed_to_those_who_take_it() -> None:
    files = {**FILES, "main.js": b"export const many = 1;" * 1000}
    path = script_of(asked("/ui/", files=files))
    answer = asked(path, files=files, **{"accept-encoding": "gzip"})
    assert answer["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(b64decode(str(answer["body"]))) == files["main.js"]


def test_the_pages_of_this_project_are_a_document_a_script_a_style_and_an_icon() -> None:
    files = files_of_the_pages()
    named = re.findall(rb"\{files\}([\w./-]+)", files["index.html"])
    assert named
    assert {name.decode() for name in named} <= files.keys()
    assert set(files) == {"index.html", "main.js", "style.css", "icon.svg"}

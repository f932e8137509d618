"""The pages for readers: /docs asks no other host for anything, and docs/ leads nowhere that does not exist."""

import base64
import hashlib
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support import openapi_check  # noqa: E402

DOCUMENT = openapi_check.contract().document
PAGE = (ROOT / "docs" / "reference.html").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))


def policy():
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', PAGE)[1]
    return {directive.split()[0]: directive.split()[1:] for directive in content.split(";")}


def test_the_reference_is_ours_alone():
    assert not re.search(r"(https?:)?//[a-z]", re.sub("<!--.*?-->", "", PAGE, flags=re.S)), "an address of another host"
    assert policy()["default-src"] == ["'none'"]
    assert policy()["script-src"] == policy()["connect-src"] == ["'self'"]
    for sources in policy().values():
        assert not any(re.search(r"unsafe|\*|https?:|\.", source) for source in sources)
    assert "<script>" not in PAGE, "an inline script would be refused"


def test_the_inline_style_is_the_one_allowed():
    style = re.search("<style>(.*?)</style>", PAGE, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy()["style-src"]


def test_the_renderer_loads_nothing():
    bundle = (ROOT / "third_party" / "redoc" / "redoc.standalone.js").read_text(encoding="utf-8")
    assert not re.search(r"cdn\.redoc|fonts\.g(oogleapis|static)|sourceMappingURL=redoc", bundle)
    assert (ROOT / "third_party" / "redoc" / "LICENSE").exists()


def anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match("https?:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{link}: no such file"
        assert ROOT in (target, *target.parents), f"{link} leads out of the project"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{link}: no such heading"


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for path in PAGES:
        assert path.name == "README.md" or f"]({path.name})" in index


def test_every_problem_code_is_explained():
    text = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z_]+)` \| [45]\d\d \|", text, re.M))
    assert explained == set(DOCUMENT["components"]["schemas"]["Code"]["enum"])

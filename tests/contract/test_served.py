"""What the running service says of itself: the contract, its reference page, and that both are the ones in the tree."""

import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = {
    "/openapi.yaml": ("openapi.yaml", "application/yaml"),
    "/docs": ("docs/reference.html", "text/html"),
    "/docs/redoc.js": ("third_party/redoc/redoc.standalone.js", "text/javascript"),
}


@pytest.fixture(scope="module")
def anyone(service):
    """A caller without a key."""
    return service.client("")


@pytest.mark.parametrize("path", FILES)
def test_files_are_served_as_they_are(anyone, path):
    file, media = FILES[path]
    answer = anyone.get(path)
    assert answer.status == 200
    assert answer.headers.get_content_type() == media
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.body == (ROOT / file).read_bytes()
    assert anyone.get(path, headers={"If-None-Match": answer.etag}).status == 304


def test_the_page_asks_only_for_what_is_served(anyone):
    page = anyone.get("/docs").body.decode()
    assert 'src="docs/redoc.js"' in page and 'spec-url="openapi.yaml"' in page
    assert "Content-Security-Policy" not in anyone.get("/docs").headers  # the page has its own; a second one would only narrow it


def test_health_readiness_metrics_need_no_key(anyone):
    assert anyone.get("/healthz").json == {"status": "ok"}
    assert anyone.get("/readyz").json == {"status": "ready"}
    assert anyone.get("/metrics").status == 200

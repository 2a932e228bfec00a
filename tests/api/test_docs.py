"""The page at /docs: whole, from this host alone, and absent when it is switched off."""

import re

FOR_EVER = "public, max-age=31536000, immutable"


def page_of(client):
    return client.get("/docs", expect=200)


def assets_of(client):
    return re.findall(r'(?:src|href)="(docs/[^"]+)"', page_of(client).text)


def test_the_page_allows_nothing_from_elsewhere(service):
    reply = page_of(service.client(token=None))
    policy = reply.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy and "script-src" not in policy  # scripts fall under default-src
    assert not re.search(r'(src|href)="(https?:)?//', reply.text)
    assert "<script>" not in reply.text


def test_every_file_of_the_page_is_there(service):
    client = service.client(token=None)
    assets = assets_of(client)
    assert len(assets) == 3
    for asset in assets:
        reply = client.get(f"/{asset}", expect=200)
        assert reply.headers["cache-control"] == FOR_EVER
        assert len(reply.text) > 100  # httpx has undone the compression
        assert client.get(f"/{asset}", headers={"If-None-Match": reply.headers["etag"]}, expect=304).content == b""
        head = client.head(f"/{asset}", expect=200)
        assert head.headers.get("content-encoding") == reply.headers.get("content-encoding")


def test_the_large_files_travel_compressed(service):
    client = service.client(token=None)
    compressed = [asset for asset in assets_of(client)
                  if client.get(f"/{asset}").headers.get("content-encoding") == "gzip"]
    assert sorted(asset.rsplit(".", 1)[1] for asset in compressed) == ["css", "js"]


def test_the_validator_of_another_host_is_off(service):
    client = service.client(token=None)
    initializer = next(asset for asset in assets_of(client) if "initializer" in asset)
    assert 'validatorUrl: "none"' in client.get(f"/{initializer}", expect=200).text


def test_other_files_are_not_found(service):
    client = service.client(token=None)
    client.get("/docs/index.html", expect=404)
    client.get("/docs/-", expect=400)
    client.get("/docs/", expect=404)


def test_off_is_off(services):
    client = services(docs="off").client(token=None)
    client.get("/docs", expect=404)
    client.get("/docs/initializer.js", expect=404)
    client.get("/openapi.json", expect=200)

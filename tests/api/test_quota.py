"""HOLDFAST_RATE_LIMIT: so many requests a minute for each subject."""

import re

LIMIT = 5
UNKNOWN = "/v1/reservations/0190a6e2-7b7c-7def-8123-456789abcdef"


def remaining(reply):
    found = re.fullmatch(r'"client";r=(\d+);t=(\d+)', reply.headers["ratelimit"])
    assert 1 <= int(found[2]) <= 60
    return int(found[1])


def test_replies_tell_what_is_left(services):
    client = services(rate_limit=LIMIT).client()
    for left in (4, 3):
        reply = client.get(UNKNOWN, expect=404)
        assert reply.headers["ratelimit-policy"] == f'"client";q={LIMIT};w=60'
        assert remaining(reply) == left


def test_one_too_many_is_refused_and_changes_nothing(services):
    service = services(rate_limit=LIMIT)
    client = service.client()
    for _ in range(LIMIT):
        client.get(UNKNOWN, expect=404)
    reply = client.get(UNKNOWN, expect=429)
    problem = reply.json()
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["code"] == "quota-exceeded" and problem["violated-policies"] == ["client"]
    assert remaining(reply) == 0
    assert int(reply.headers["retry-after"]) >= int(reply.headers["ratelimit"].split("t=")[1])


def test_each_subject_has_its_own_quota(services):
    service = services(rate_limit=1)
    ana = service.client(subject="ana")
    ana.get(UNKNOWN, expect=404)
    ana.get(UNKNOWN, expect=429)
    service.client(subject="ana", channel="web").get(UNKNOWN, expect=429)  # another token of hers
    service.client(subject="ben").get(UNKNOWN, expect=404)


def test_requests_without_a_valid_token_use_up_the_quota_of_their_address(services):
    service = services(rate_limit=2)
    service.client(token=None).get(UNKNOWN, expect=401)
    assert remaining(service.client(ttl=-3600).get(UNKNOWN, expect=401)) == 0
    reply = service.client(token="guessed").get(UNKNOWN, expect=429)
    assert reply.json()["code"] == "quota-exceeded" and int(reply.headers["retry-after"]) >= 1
    service.client().get(UNKNOWN, expect=404)  # who has a token has a quota of its own


def guess(service, expect, **headers):
    """A request without a token that says it comes from elsewhere."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    service.client(token=None).get(UNKNOWN, headers=headers, expect=expect)


def test_nobody_gets_a_quota_by_making_up_an_address(services):
    service = services(rate_limit=1)
    guess(service, 401, X_Forwarded_For="203.0.113.1")
    guess(service, 429, X_Forwarded_For="203.0.113.2")
    guess(service, 429, Forwarded="for=203.0.113.3")


def test_trusted_proxies_tell_whose_quota_it_is(services):
    service = services(rate_limit=1, trusted_proxies="127.0.0.0/8, 10.0.0.0/8")
    guess(service, 401, X_Forwarded_For="203.0.113.1")
    guess(service, 429, X_Forwarded_For="198.51.100.66, 203.0.113.1, 10.1.2.3")
    guess(service, 401, X_Forwarded_For="203.0.113.2")
    guess(service, 429, Forwarded='for="203.0.113.2:4711"')
    guess(service, 401, X_Forwarded_For="203.0.113.3", Forwarded="for=203.0.113.4")  # counts for the proxy
    guess(service, 429, X_Forwarded_For="203.0.113.5", Forwarded="for=203.0.113.6")


def test_wrong_links_use_up_the_quota_of_their_address(services):
    """Whether a link opens anything the database alone can tell; after too many wrong ones it is not asked."""
    service = services(rate_limit=2, trusted_proxies="127.0.0.1")
    path = "/v1/fulfillments/0190a6e2-7b7c-7def-8123-456789abcdef/status"

    def try_link(letter, expect, address):
        return service.client(token=letter * 42 + "A").get(path, headers={"X-Forwarded-For": address}, expect=expect)

    try_link("a", 401, "203.0.113.1")
    try_link("b", 401, "203.0.113.1")
    assert remaining(try_link("c", 429, "203.0.113.1")) == 0
    guess(service, 429, X_Forwarded_For="203.0.113.1")
    try_link("d", 401, "203.0.113.2")


def test_a_household_shares_a_quota(services):
    service = services(rate_limit=1, trusted_proxies="127.0.0.1")
    guess(service, 401, X_Forwarded_For="2001:db8:1:2::7")
    guess(service, 429, X_Forwarded_For="2001:db8:1:2:3:4:5:6")
    guess(service, 401, X_Forwarded_For="2001:db8:1:3::7")


def test_addresses_are_not_logged(services):
    service = services(rate_limit=1, trusted_proxies="127.0.0.1")
    guess(service, 401, X_Forwarded_For="203.0.113.77")
    guess(service, 429, X_Forwarded_For="203.0.113.77")
    service.stop()
    assert [event["status"] for event in service.log_events("request") if event["status"] in (401, 429)] == [401, 429]
    assert "203.0.113.77" not in service.log_path.read_text()


def test_open_routes_have_no_limit(services):
    service = services(rate_limit=1)
    for _ in range(3):
        assert "ratelimit" not in service.client().get("/openapi.json", expect=200).headers


def test_off_by_default(api):
    reply = api.get(UNKNOWN, expect=404)
    assert "ratelimit" not in reply.headers and "ratelimit-policy" not in reply.headers


def test_ten_answers_that_nothing_has_changed_cost_one_request(services):
    client = services(rate_limit=4).client()
    created = client.put("/v1/channels/web", {"name": "Web", "kind": "web"}, expect=201)
    for _ in range(10):
        client.get("/v1/channels/web", headers={"If-None-Match": created.headers["etag"]}, expect=304)
    for _ in range(2):
        client.get("/v1/channels/web", expect=200)
    client.get("/v1/channels/web", expect=429)

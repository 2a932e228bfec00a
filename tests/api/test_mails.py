"""E-mails to customers: events cause them, a real mail server takes them, and the order has their history."""

import itertools
import json
import uuid

import pytest

from support.database import Database
from support.mail import TAKEN, Catcher, RawServer, certificate, only
from support.person import Person, settle_refunds
from support.retailer import Retailer
from support.waiting import eventually
from support.work import Work, code_of, faults

ALL = ["cancelled", "collected", "delayed", "delivered", "order_placed", "ready", "refunded", "reminder", "return_received", "shipped"]


def speak(retailer, kinds=("ready",), **fields):
    """The retailer's channel sends messages of these kinds."""
    messages = {"from": "shop@example.org", "locale": "en", "kinds": list(kinds), **fields}
    retailer.api.put(f"/v1/channels/{retailer.channel}", {"name": "Web shop", "kind": "web", "notifications": messages}, expect=200)
    return retailer


def address():
    return f"ada-{uuid.uuid4().hex[:12]}@example.com"


def customer(to, **fields):
    return {"name": "Ada Lovelace", "email": to, **fields}


def messages_of(order, api, **wanted):
    found = api.get(f"/v1/orders/{order['id']}/notifications", expect=200).json()["data"]
    return [message for message in found if all(message[name] == value for name, value in wanted.items())]


def settled(order, api, state, n=1, **wanted):
    return eventually(lambda: len(messages_of(order, api, state=state, **wanted)) == n and messages_of(order, api, **wanted), 30,
                      f"{n} messages {state}")


@pytest.fixture
def shop(api, database):
    """A function that places an order at a channel which sends mails of these kinds; gives the work and the address."""
    def place(kinds=("ready",), method="pickup", sender=None, **fields):
        retailer = speak(Retailer(api).create(), kinds, **(sender or {}))
        to = address()
        person = customer(to, **fields.pop("person", {}))
        return Work(retailer, database, method=method, customer=person, **fields), to
    return place


@pytest.fixture
def alone(services, work_directory):
    """A function that starts an instance with this mail server, and places an order there; gives instance, work and database."""
    databases = []

    def start(url, kinds=("ready",), **settings):
        instance = services(smtp_url=url, **settings)
        databases.append(Database(instance.database_url))
        retailer = speak(Retailer(instance.client()).create(), kinds)
        return instance, Work(retailer, databases[-1], customer=customer("ada@example.com")), databases[-1]

    yield start
    for database in databases:
        database.close()


def answered(work):
    """The message about the order, once an attempt is recorded."""
    message, = eventually(lambda: [one for one in messages_of(work.order, work.api) if one["answer"]], 30, "an attempt")
    return message


def hurry(database):
    """Messages that wait for another attempt are due now."""
    database.execute("update notifications set due_at = now() where state = 'queued' and leased_by is null")


# ---- one order, one mail ----

def test_a_ready_order_makes_one_mail_with_the_code(shop, mails, api):
    it, to = shop(sender={"reply_to": "help@example.org"})
    it.make_ready()
    mail, = mails.wait_for(1, to)
    assert mail.sender == "shop@example.org" and mail.recipients == [to]
    assert mail.subject == f"Your order {it.order['order_number']} is ready"
    assert (mail.message["From"], mail.message["Reply-To"]) == ("Web shop <shop@example.org>", "help@example.org")
    assert it.code() in mail.text() and it.code() in mail.text("html")
    assert mail.message["Auto-Submitted"] == "auto-generated"
    sent, = settled(it.order, api, "sent")
    assert (sent["kind"], sent["medium"], sent["to"], sent["attempts"]) == ("ready", "email", to, 1)
    assert f"<{sent['message_id']}>" == mail.id and sent["sent_at"] and sent["next_at"] is None
    assert sent["answer"].startswith("250") and sent["fulfillment_id"] == it.id


def test_the_mail_and_its_delivery_are_events(shop, mails, api):
    it, to = shop()
    it.make_ready()
    sent, = settled(it.order, api, "sent")
    told, = [event for event in it.told() if event["type"] == "notification.sent"]
    assert told["data"] | {"version": 1} == {"kind": "ready", "locale": "en", "medium": "email", "version": 1}
    ready, = [event for event in it.told() if event["type"] == "fulfillment.ready"]
    assert sent["event_id"] == ready["id"]


@pytest.mark.parametrize("kind, method, act", [
    ("order_placed", "pickup", lambda it: None),
    ("collected", "pickup", lambda it: (it.make_ready(), it.hand_over())),
    ("cancelled", "pickup", lambda it: it.api.post(f"/v1/orders/{it.order['id']}/cancel", {"reason": "changed"}, expect=200)),
    ("shipped", "ship", lambda it: (it.pick_all(), it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": "003404"}]}))),
    ("delivered", "ship", lambda it: (it.pick_all(), it.act("ship", {"packages": [{"carrier": "DHL", "tracking_number": "003404"}]}),
                                      it.act("deliver"))),
])
def test_each_step_of_an_order_has_its_mail(shop, mails, api, kind, method, act):
    it, to = shop([kind], method)
    act(it)
    mails.wait_for(1, to)
    assert [message["kind"] for message in settled(it.order, api, "sent")] == [kind]
    assert len(mails.taken(to)) == 1 and it.order["order_number"] in mails.taken(to)[0].text()


def test_a_channel_sends_the_kinds_that_it_lists(shop, mails, api):
    it, to = shop(["collected"])
    it.make_ready()
    it.hand_over()
    settled(it.order, api, "sent")
    assert [message["kind"] for message in messages_of(it.order, api)] == ["collected"]
    assert len(mails.taken(to)) == 1


def test_a_channel_that_writes_to_nobody_sends_nothing(shop, retailer, work, api, mails):
    silent, to = work(customer=customer(address())), address()
    silent.make_ready()
    it, to = shop()
    it.make_ready()
    mails.wait_for(1, to)
    assert messages_of(silent.order, api) == [], "its event was planned before that of the other"


@pytest.mark.parametrize("email", ['"ada"@example.com', "ada@[127.0.0.1]", "ad\u00e4@example.com", "ada>@example.com", None])
def test_a_customer_without_a_usable_address_gets_no_mail(shop, mails, api, email):
    it, _ = shop(person={"email": email})
    it.make_ready()
    last, to = shop()
    last.make_ready()
    mails.wait_for(1, to)
    assert messages_of(it.order, api) == [], "its event was planned before that of the other"


def test_a_name_cannot_begin_another_header(shop, mails):
    evil = "Ada\r\nBcc: eve@example.org\r\n\r\nText"
    it, to = shop(person={"name": evil})
    it.make_ready()
    mail, = mails.wait_for(1, to)
    assert mail.message["Bcc"] is None and mail.recipients == [to]
    assert b"\r\nBcc:" not in mail.content.split(b"\r\n\r\n")[0]


def test_a_line_with_a_dot_arrives_as_it_is(shop, mails, api):
    path = "/v1/notification-templates/ready/email/ga"
    api.put(path, {"subject": "Dot", "text": "one\n.\n..two\nend\n"}, expect=201)
    it, to = shop(sender={"locale": "ga"})
    it.make_ready()
    mail, = mails.wait_for(1, to)
    assert mail.text().replace("\r\n", "\n") == "one\n.\n..two\nend\n"
    api.delete(path, expect=200)


@pytest.mark.parametrize("locale, subject", [("de-AT", "liegt bereit"), ("fr", "is ready"), ("en-GB", "is ready")])
def test_a_locale_without_a_template_gets_its_language_then_english(shop, mails, locale, subject):
    it, to = shop(sender={"locale": locale})
    it.make_ready()
    mail, = mails.wait_for(1, to)
    assert subject in mail.subject


def test_others_are_asked_for_text_messages_and_pushes(shop, mails, api):
    it, to = shop(person={"phone": "+49 30 1234567", "customer_id": "c-1"})
    it.make_ready()
    settled(it.order, api, "sent")
    asked = messages_of(it.order, api, state="requested")
    assert sorted((message["medium"], message["to"]) for message in asked) == [("push", "c-1"), ("sms", "+49 30 1234567")]
    told = [event["data"] for event in it.told() if event["type"] == "notification.requested"]
    assert sorted(data["medium"] for data in told) == ["push", "sms"]
    assert all("1234567" not in json.dumps(data) for data in told)


# ---- by request ----

def test_a_message_is_sent_once_more_by_request(shop, mails, api):
    it, to = shop()
    it.make_ready()
    first, = mails.wait_for(1, to)
    path = f"/v1/orders/{it.order['id']}/notifications"
    reply = api.post(path, {"kind": "ready"}, expect=201)
    asked = reply.json()
    assert reply.headers["Location"] == path
    assert (asked["state"], asked["to"], asked["actor"], asked["event_id"]) == ("queued", to, "tester", asked["id"])
    mails.wait_for(2, to)
    assert len({mail.id for mail in mails.taken(to)}) == 2, "another act has another id"
    newest, oldest = settled(it.order, api, "sent", 2)
    assert (newest["id"], oldest["actor"]) == (asked["id"], "notifications")


def test_a_message_can_go_to_another_address(shop, mails, api):
    it, _ = shop(["ready"])
    other = address()
    path = f"/v1/orders/{it.order['id']}/notifications"
    key = str(uuid.uuid4())
    first = api.post(path, {"kind": "order_placed", "to": other}, key=key, expect=201)
    assert api.post(path, {"kind": "order_placed", "to": other}, key=key, expect=201).json() == first.json()
    mails.wait_for(1, other)
    settled(it.order, api, "sent", kind="order_placed")
    assert len(mails.taken(other)) == 1


@pytest.mark.parametrize("body, wrong", [
    ({}, {"#/kind": "required"}),
    ({"kind": "eaten"}, {"#/kind": "not-allowed"}),
    ({"kind": "ready", "to": "Ada <ada@example.com>"}, {"#/to": "malformed"}),
    ({"kind": "ready", "to": "ada@example.com\r\nBcc: eve@example.org"}, {"#/to": "malformed"}),
])
def test_a_request_that_makes_no_sense_is_refused(shop, api, body, wrong):
    it, _ = shop()
    assert faults(api.post(f"/v1/orders/{it.order['id']}/notifications", body, expect=422)) == wrong
    assert messages_of(it.order, api) == []


def test_a_request_needs_an_address(shop, api):
    it, _ = shop(person={"email": None})
    assert faults(api.post(f"/v1/orders/{it.order['id']}/notifications", {"kind": "ready"}, expect=422)) == {"#/to": "required"}


def test_a_request_needs_a_channel_with_a_sender(work, api):
    refused = api.post(f"/v1/orders/{work().order['id']}/notifications", {"kind": "ready"}, expect=409)
    assert code_of(refused) == "invalid-transition" and "channel" in refused.json()["detail"]


def test_an_order_has_a_limit_of_messages(shop, api, database):
    it, _ = shop()
    api.post(f"/v1/orders/{it.order['id']}/notifications", {"kind": "order_placed"}, expect=201)
    database.execute(
        "insert into notifications select gen_random_uuid(), order_id, null, null, gen_random_uuid(), kind, medium, 'skipped', channel, locale,"
        " null, null, null, actor, 0, null, null, null, created_at, updated_at from notifications, generate_series(1, 199)"
        " where order_id = %s", it.order["id"])
    assert code_of(api.post(f"/v1/orders/{it.order['id']}/notifications", {"kind": "ready"}, expect=422)) == "too-many"


def test_messages_need_an_order_that_the_bearer_sees(shop, service):
    it, _ = shop()
    path = f"/v1/orders/{it.order['id']}/notifications"
    for client, status in ((service.client(locations=[it.retailer.store]), 200), (service.client(locations=[it.retailer.warehouse]), 403),
                           (service.client(channel="another"), 404), (service.client(scope="catalog:read"), 403)):
        client.get(path, expect=status)
    service.client(scope="orders:read").post(path, {"kind": "ready"}, expect=403)
    service.client().get(f"/v1/orders/{uuid.uuid4()}/notifications", expect=404)


# ---- a mail server that says no ----

def test_without_a_mail_server_there_are_no_mails(services, database):
    instance = services()
    retailer = speak(Retailer(instance.client()).create())
    with Database(instance.database_url) as look:
        it = Work(retailer, look, customer=customer("ada@example.com", phone="0301234567"))
        it.make_ready()
        settled(it.order, it.api, "requested")
        assert messages_of(it.order, it.api, medium="email") == []
    refused = it.api.post(f"/v1/orders/{it.order['id']}/notifications", {"kind": "ready"}, expect=409)
    assert "HOLDFAST_SMTP_URL" in refused.json()["detail"]


@pytest.mark.parametrize("at", ["to", "answer"])
def test_a_mail_that_is_refused_for_now_is_tried_again_with_the_same_id(alone, at):
    replies = iter(["451 4.7.1 later", "421 4.3.2 closing"])
    tried = []

    def reply(what):
        tried.append(what)
        return next(replies, TAKEN)

    with Catcher(**{at: reply}) as server:
        _, it, database = alone(server.url)
        it.make_ready()
        for n in (1, 2):
            eventually(lambda: database.count("notifications", "attempts = %s and leased_by is null", n), 30)
            waiting, = messages_of(it.order, it.api, state="queued")
            assert waiting["next_at"] and waiting["answer"].startswith(("451", "421")[n - 1])
            hurry(database)
        sent, = settled(it.order, it.api, "sent")
        assert sent["attempts"] == 3 and len(tried) == 3
        assert {mail.id for mail in server.mails} == {f"<{sent['message_id']}>"}


def test_the_first_retry_comes_after_about_half_a_minute(alone):
    with Catcher(answer=lambda mail: "451 later") as server:
        _, it, database = alone(server.url)
        it.make_ready()
        answered(it)
        pause, = database.rows("select extract(epoch from due_at - created_at)::float8 as most,"
                               " extract(epoch from due_at - updated_at)::float8 as least from notifications")
        assert pause["most"] >= 27 and pause["least"] <= 33, "the attempt was between these two times"


@pytest.mark.parametrize("at", ["to", "answer"])
def test_a_mail_that_is_refused_for_good_is_not_tried_again(alone, at):
    with Catcher(**{at: lambda _: "550 5.1.1 no such user ada@example.com"}) as server:
        instance, it, database = alone(server.url)
        it.make_ready()
        failed, = settled(it.order, it.api, "failed")
        assert (failed["attempts"], failed["next_at"], failed["answer"][:3]) == (1, None, "550")
        told, = [event for event in it.told() if event["type"] == "notification.failed"]
        assert "ada@example.com" not in json.dumps(told)
        assert instance.figure("holdfast_mails_total", result="failed") == 1


def test_a_wrong_password_fails_no_mail(alone):
    def play(talk):
        talk.say("220 raw.example ESMTP")
        talk.hear()
        talk.say("250-raw.example")
        talk.say("250 Ok")
        talk.hear()
        talk.say("530 5.7.0 Authentication required")
        talk.hear()

    with RawServer(play) as server:
        _, it, database = alone(server.url)
        it.make_ready()
        waiting = answered(it)
        assert waiting["state"] == "queued" and waiting["answer"].startswith("530")


def test_a_server_that_ends_after_the_content_gets_the_same_mail_again(alone):
    got = []

    def play(talk):
        talk.greet()
        got.append(talk.content())
        if len(got) == 1:
            talk.connection.shutdown(2)  # it has the mail, and says nothing
            return
        talk.say("250 Ok")
        talk.hear()

    with RawServer(play) as server:
        _, it, database = alone(server.url)
        it.make_ready()
        answered(it)
        hurry(database)
        settled(it.order, it.api, "sent")
    ids = [line for content in got for line in content.split(b"\r\n") if line.startswith(b"Message-ID:")]
    assert len(ids) == 2 and len(set(ids)) == 1


def test_a_server_that_drips_does_not_hold_the_mailer(alone):
    def play(talk):
        talk.connection.settimeout(0.2)
        for byte in itertools.cycle(b"220 "):  # never a whole line
            talk.connection.sendall(bytes([byte]))
            try:
                if not talk.connection.recv(1):
                    return
            except TimeoutError:
                continue

    with RawServer(play) as server:
        instance, it, database = alone(server.url, smtp_timeout="PT1S")
        it.make_ready()
        waiting = answered(it)
        assert "in time" in waiting["answer"] and waiting["state"] == "queued"
        assert waiting["attempts"] == 0, "the server was not reached, so no attempt is counted"
        assert instance.log_events("mail server not reachable")


def test_a_server_that_is_away_gets_the_mails_once_it_is_back(alone):
    server = Catcher()
    instance, it, database = alone(server.url)
    it.make_ready()
    assert "refused the connection" in answered(it)["answer"]
    with server:
        hurry(database)
        sent, = settled(it.order, it.api, "sent")
        assert sent["attempts"] == 1 and len(server.taken()) == 1


def test_a_ready_mail_is_not_sent_once_the_customer_has_the_units(alone):
    with Catcher(answer=lambda mail: "451 later") as server:
        _, it, database = alone(server.url)
        it.make_ready()
        answered(it)
        it.hand_over()
        database.execute("update notifications set created_at = created_at - interval '10 minutes'")
        hurry(database)
        skipped, = settled(it.order, it.api, "skipped")
        assert skipped["answer"] == "the units are no longer ready" and len(server.mails) == 1


def test_a_mail_that_was_tried_too_often_has_failed(alone):
    with Catcher(answer=lambda mail: "451 later") as server:
        _, it, database = alone(server.url)
        it.make_ready()
        answered(it)
        database.execute("update notifications set attempts = 10")
        hurry(database)
        failed, = settled(it.order, it.api, "failed")
        assert (failed["attempts"], failed["answer"]) == (11, "451 later")


# ---- encryption and passwords ----

def test_a_mail_is_encrypted_when_the_server_offers_it(alone, tmp_path):
    context, file = certificate(tmp_path)
    with Catcher(tls_context=context, require_starttls=True) as server:
        _, it, _ = alone(server.url, smtp_ca=file)
        it.make_ready()
        settled(it.order, it.api, "sent")
        assert len(server.taken()) == 1


def test_a_server_whose_certificate_nobody_knows_gets_nothing(alone, tmp_path):
    context, _ = certificate(tmp_path)
    with Catcher(tls_context=context) as server:
        _, it, _ = alone(server.url)
        it.make_ready()
        assert answered(it)["answer"] == "the certificate of the mail server is not valid"
        assert server.mails == []


def test_a_name_and_a_password_are_sent_over_tls(alone, tmp_path):
    context, file = certificate(tmp_path)
    with Catcher(tls_context=context, auth_required=True, authenticator=only("shop", "p@ss")) as server:
        url = server.url.replace("smtp://", "smtp://shop:p%40ss@")
        instance, it, _ = alone(url, smtp_ca=file)
        it.make_ready()
        settled(it.order, it.api, "sent")
        assert "p%40ss" not in instance.run("config").stdout
        assert "it can be reached" in instance.run("doctor", check=0).stdout


@pytest.mark.parametrize("settings", [{}, {"smtp_tls": "required"}], ids=["password", "required"])
def test_no_password_and_no_mail_leave_in_plain_text_if_tls_is_needed(alone, settings):
    heard = []

    def play(talk):
        talk.say("220 raw.example ESMTP")
        for command in iter(talk.hear, ""):
            heard.append(command)
            talk.say("250 AUTH PLAIN LOGIN" if command.startswith("EHLO") else "250 Ok")

    with RawServer(play) as server:
        url = server.url if settings else server.url.replace("smtp://", "smtp://shop:secret@")
        _, it, _ = alone(url, **settings)
        it.make_ready()
        assert answered(it)["answer"] == "the mail server has no TLS"
        assert not [command for command in heard if command.startswith(("AUTH", "MAIL", "DATA"))]


# ---- erasure and export ----

def test_a_customer_that_is_erased_gets_no_more_mails(alone):
    with Catcher(answer=lambda mail: f"451 later for {mail.recipients[0]}") as server:
        instance, it, database = alone(server.url, ["cancelled"])
        person = ("--email", "ada@example.com")
        path = f"/v1/orders/{it.order['id']}"
        it.api.post(f"{path}/notifications", {"kind": "order_placed"}, key=str(uuid.uuid4()), expect=201)
        it.api.post(f"{path}/cancel", {"reason": "changed"}, expect=200)
        it.api.post(f"{path}/refunds", {"to": "original", "reason": "cancelled"}, expect=201)
        settle_refunds(it)
        eventually(lambda: database.count("notifications", "answer is not null and leased_by is null") == 2, 30)
        shown, = json.loads(instance.run("customer", "export", *person, check=0).stdout)["orders"]
        assert [(message["to"], message["state"]) for message in shown["notifications"]] == [("ada@example.com", "queued")] * 2

        instance.run("customer", "erase", *person, check=0)

        n = len(server.mails)
        assert {(message["to"], message["state"], message["answer"]) for message in messages_of(it.order, it.api)} == {(None, "skipped", None)}
        hurry(database)
        refused = it.api.post(f"{path}/notifications", {"kind": "cancelled", "to": "eve@example.com"}, expect=409)
        assert code_of(refused) == "invalid-transition"
        assert len(server.mails) == n
        assert not [line for line in Person("ada@example.com").traces_in(instance.database_url)]

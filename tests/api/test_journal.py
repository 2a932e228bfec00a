"""The journal: every day balances, and all days together are the documents."""

import csv
import io
import os
import random
import uuid
from collections import defaultdict

import pytest

from api.test_refusals import World, commands
from support.database import Database
from support.importing import Importer
from support.retailer import Retailer
from support.returning import Bought
from support.waiting import eventually

READER = "exports:read"
ROUNDS = 4


@pytest.fixture
def instance(services):
    return services(sweeper=0)


def journal(instance, **params):
    reply = instance.client(scope=READER).get("/v1/exports/journal", params=params, expect=200)
    return [{**row, "debit": int(row["debit"] or 0), "credit": int(row["credit"] or 0)}
            for row in csv.DictReader(io.StringIO(reply.text, newline=""))]


def net(rows, **chosen):
    """Debits less credits of the rows that are as `chosen`, by currency."""
    sums = defaultdict(int)
    for row in rows:
        if all(row[name] == value for name, value in chosen.items()):
            sums[row["currency"]] += row["debit"] - row["credit"]
    return {currency: amount for currency, amount in sums.items() if amount}


def assert_balanced(rows):
    for day, channel in {(row["day"], row["channel"]) for row in rows}:
        assert net(rows, day=day, channel=channel) == {}, (day, channel)


def assert_documents(rows, orders):
    """Every account is the sum of the documents of the API."""
    wanted = {name: defaultdict(int) for name in ("receivables", "discounts", "payments", "store_credit")}
    charged, paid_back = defaultdict(int), defaultdict(int)
    for order in orders:
        currency, totals = order["currency"], order["totals"]
        captured = sum(payment["captured"]["amount"] for payment in order["payments"])
        original = sum(refund["amount"]["amount"] for refund in order["refunds"] if refund["status"] != "failed" and refund["to"] == "original")
        voucher = sum(refund["amount"]["amount"] for refund in order["refunds"] if refund["status"] != "failed" and refund["to"] == "store_credit")
        charge = totals["total"]["amount"] - totals["credited"]["amount"]
        wanted["payments"][currency] += captured - original
        wanted["store_credit"][currency] -= voucher
        wanted["discounts"][currency] += totals["discount"]["amount"]
        wanted["receivables"][currency] += charge - captured + original + voucher
        charged[currency] -= charge
        paid_back[currency] += original + voucher
    for account, sums in wanted.items():
        assert net(rows, account=account) == {currency: amount for currency, amount in sums.items() if amount}, account
    earned = defaultdict(int)
    for account in ("sales", "shipping", "tax", "credits", "discounts"):
        for currency, amount in net(rows, account=account).items():
            earned[currency] += amount
    assert {currency: amount for currency, amount in earned.items() if amount} == {c: a for c, a in charged.items() if a}


def all_orders(client):
    orders, cursor = [], None
    while True:
        page = client.get("/v1/orders", params={"limit": 200, **({"cursor": cursor} if cursor else {})}, expect=200).json()
        orders += page["data"]
        cursor = page["next_cursor"]
        if not cursor:
            return [client.get(f"/v1/orders/{order['id']}", expect=200).json() for order in orders]


def test_random_lives_of_orders_balance_every_day(instance):
    seed = int(os.environ.get("HOLDFAST_TEST_SEED") or uuid.uuid4().int % 1_000_000)
    print(f"HOLDFAST_TEST_SEED={seed}")
    dice = random.Random(seed)
    world = World(instance, dice)
    named = {one.name: one for one in commands()}
    with Database(instance.database_url) as database:
        while len(world.orders) < 6 or len(world.reservations) < 3:
            world.send(named[dice.choice(["placeOrder", "createReservation"])])
        for _ in range(ROUNDS):
            world.live()
            for operation in dice.choices(commands(), k=150):
                world.send(operation)
            # Days pass: every fact that has a time is dated back, each order by another number of days.
            spread_over_days(database)
            rows = journal(instance)
            assert_balanced(rows)
            assert_documents(rows, all_orders(world.full))
            assert_days_add_up(instance, rows)
    assert len({row["day"] for row in rows}) > 3, f"seed {seed}"


def spread_over_days(database):
    for table, column in (("events", "occurred_at"), ("payments", "created_at"), ("refunds", "created_at"), ("return_lines", "received_at")):
        database.execute(f"update {table} set {column} = {column} - abs(hashtext(id::text)) % 5 * interval '1 day' where {column} > now() - interval '1 hour'")
    database.execute("update orders set placed_at = placed_at - interval '5 days' where placed_at > now() - interval '1 hour'")


def assert_days_add_up(instance, rows):
    """Each day alone is its part of the whole."""
    days = sorted({row["day"] for row in rows})
    for day in days:
        alone = journal(instance, since=f"{day}T00:00:00Z", until=f"{day}T23:59:59.999999Z")
        assert alone == [row for row in rows if row["day"] == day], day


def test_each_account_of_one_order(instance):
    shop = Retailer(instance.client(), on_hand=100).create()
    eur = {"currency": "EUR"}
    order = Bought(shop, [{"sku": shop.sku, "quantity": 2, "unit_price": {"amount": 1190, **eur}}], discounts=[{"amount": 380}],
                   shipping={"amount": 500, **eur}, tax={"amount": 400, "included": True})
    shop.order([{"sku": shop.sku, "quantity": 1, "unit_price": {"amount": 1000, "currency": "JPY"}}], currency="JPY",
               payments=[{"status": "captured", "amount": 300, "provider": "gift_card"}, {"status": "authorized", "amount": 700, "provider": "psp"}])
    order.bring(order.item(1))
    shop.api.post(f"/v1/orders/{order.id}/refunds", {"to": "original", "reason": "late"}, expect=201)
    rows = {row["account"]: row for row in journal(instance) if row["currency"] == "EUR"}
    yen = {(row["account"], row["provider"]): row["debit"] - row["credit"] for row in journal(instance) if row["currency"] == "JPY"}
    total = 2380 - 380 + 500
    back = order.now()["totals"]["refunded"]["amount"] or sum(refund["amount"]["amount"] for refund in order.now()["refunds"])

    assert rows["receivables"]["debit"] == total + back and rows["receivables"]["credit"] == total + back
    assert (rows["payments"]["debit"], rows["payments"]["credit"], rows["payments"]["provider"]) == (total, back, "")
    assert yen == {("payments", "gift_card"): 300, ("receivables", ""): 700, ("sales", ""): -1000}
    assert rows["discounts"]["debit"] == 380 and rows["tax"]["credit"] == 400
    assert rows["sales"]["credit"] + rows["shipping"]["credit"] == total + 380 - 400
    assert rows["shipping"]["credit"] == 500 - 80  # its part of the tax: 400 of 2500
    assert rows["credits"]["debit"] + rows["tax"]["debit"] == back


def test_a_channel_has_its_own_journal_and_some_locations_have_none(instance):
    shops = [Retailer(instance.client(), on_hand=100).create() for _ in range(2)]
    for shop in shops:
        Bought(shop)
    rows = journal(instance)

    assert journal(instance, channel=shops[0].channel) == [row for row in rows if row["channel"] == shops[0].channel]
    bound = instance.client(scope=READER, channel=shops[1].channel).get("/v1/exports/journal", expect=200)
    assert shops[0].channel not in bound.text and shops[1].channel in bound.text
    refused = instance.client(scope=READER, locations=[shops[0].store]).get("/v1/exports/journal", expect=403)
    assert refused.json()["code"] == "store-not-allowed"


def test_imported_orders_stand_on_their_days(instance, tmp_path):
    shop = Retailer(instance.client(), on_hand=100).create()
    importer = Importer(instance, tmp_path)
    path = importer.write("past.csv", "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID",
                          f"1,{shop.sku},3,2019-05-01T10:00:00Z,2.50,17", f"C2,{shop.sku},-1,2019-06-02T10:00:00Z,2.50,17")
    importer.run("orders", path, "--channel", shop.channel, "--location", shop.store, "--currency", "EUR", expect=0)

    rows = [(row["day"], row["account"], row["debit"] - row["credit"]) for row in journal(instance)]
    assert sorted(rows) == [
        ("2019-05-01", "payments", 750), ("2019-05-01", "receivables", 0), ("2019-05-01", "sales", -750),
        ("2019-06-02", "credits", 250), ("2019-06-02", "payments", -250), ("2019-06-02", "receivables", 0)]

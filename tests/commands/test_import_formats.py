"""holdfast import: maps of columns, and the files of shops and tills, read again by an independent reader."""

import csv
import io
import re
from decimal import Decimal

import pytest

from support import ROOT
from support.holdfast import Holdfast
from support.importing import OK, SOME_REFUSED, WRONG_USAGE, Importer
from support.retailer import Retailer

FILES = ROOT / "tests" / "support" / "merchant-files"
PLACES = {"High Street 1": "hs1", "Warehouse": "whs"}
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:+@-]{0,63}")


@pytest.fixture(scope="module")
def shop(new_database, work_directory):
    """An instance by itself, because the files have SKUs that other tests do not expect."""
    instance = Holdfast(new_database(), work_directory, "formats").start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def api(shop):
    client = shop.client()
    retailer = Retailer(client).create()
    template = client.get(f"/v1/locations/{retailer.store}", expect=200).json()
    for code, name in [*((code, name) for name, code in PLACES.items()), ("default", "Default"), ("high_street", "Old")]:
        client.put(f"/v1/locations/{code}", {"name": name, "kind": "store", "time_zone": "Europe/London",
                                             "country": template["country"]}, expect=(200, 201))
    return client


@pytest.fixture
def importer(shop, api, tmp_path):
    return Importer(shop, tmp_path)


def read(name, delimiter=",", encoding="utf-8-sig"):
    return list(csv.DictReader(io.StringIO((FILES / name).read_text(encoding=encoding)), delimiter=delimiter))


def minor(price):
    return int(Decimal(price.replace("£", "").replace(",", "")) * 100)


def product(api, sku):
    return api.get(f"/v1/products/{sku}", expect=200).json()


def on_hand(api, place, sku):
    """A product that was never anywhere but on a file with 0 has no stock."""
    return api.get(f"/v1/locations/{place}/inventory/{sku}", expect=(200, 404)).json().get("on_hand", 0)


def assert_products(api, wanted):
    """{sku: (title, price, gtin)}"""
    for sku, (title, price, gtin) in wanted.items():
        there = product(api, sku)
        assert (there["title"], there["price"] and there["price"]["amount"], there.get("gtin")) == (
            title, price, gtin.zfill(14) if gtin else None), sku


# products of each shop

def shopify_sku(row, title):
    options = [row[f"Option{n} Value"] for n in (1, 2, 3)]
    options = [option for option in options if option and option != "Default Title"]
    return row.get("Variant SKU") or row.get("SKU") or "-".join([row["Handle"], *options]), " ".join([title, *options])


def shopify_products():
    titles, wanted = {}, {}
    for row in read("shopify_products.csv"):
        titles.setdefault(row["Handle"], row["Title"])
        if row["Variant Price"]:
            sku, title = shopify_sku(row, titles[row["Handle"]])
            wanted[sku] = (title, minor(row["Variant Price"]), row["Variant Barcode"].lstrip("'"))
    return wanted


def woocommerce_products():
    return {row["SKU"] or f"id-{row['ID']}": (row["Name"], minor(row["Regular price"].replace(",", ".")), "")
            for row in read("woocommerce_products.csv") if row["Type"].split(",")[0] not in ("variable", "grouped")}


def magento_products():
    return {row["sku"]: (row["name"], minor(row["price"]), "") for row in read("magento_products.csv")
            if not row["store_view_code"] and row["product_type"] == "simple"}


def square_products():
    return {row["SKU"] or row["GTIN"] or row["Token"]: (
        row["Item Name"] + ("" if row["Variation Name"] == "Regular" else f" {row['Variation Name']}"),
        None if row["Price"] == "variable" else minor(row["Price"]), row["GTIN"]) for row in read("square_items.csv")}


def lightspeed_products():
    return {row["sku"]: (" ".join(filter(None, [row["name"], row["variant_option_one_value"]])), minor(row["retail_price"]), "")
            for row in read("lightspeed_products.csv")}


def odoo_products():
    return {row["Internal Reference"]: (row["Name"], minor(row["Sales Price"]), row["Barcode"]) for row in read("odoo_products.csv")}


def prestashop_products():
    return {row["Reference #"]: (row["Name *"], minor(row["Price tax excluded"].replace(",", ".")), row["EAN13"])
            for row in read("prestashop_products.csv", ";", "windows-1252")}


def amazon_products():
    rows = csv.DictReader(io.StringIO((FILES / "amazon_listings.txt").read_text(encoding="utf-8")), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["seller-sku"]: (row["item-name"], minor(row["price"]), row["product-id"] if row["product-id-type"] in "34" else "")
            for row in rows}


PRODUCTS = [("shopify", "shopify_products.csv", shopify_products), ("woocommerce", "woocommerce_products.csv", woocommerce_products),
            ("magento", "magento_products.csv", magento_products), ("square", "square_items.csv", square_products),
            ("lightspeed", "lightspeed_products.csv", lightspeed_products), ("odoo", "odoo_products.csv", odoo_products),
            ("prestashop", "prestashop_products.csv", prestashop_products), ("amazon", "amazon_listings.txt", amazon_products)]


@pytest.mark.parametrize("name, file, wanted", PRODUCTS, ids=[name for name, *_ in PRODUCTS])
def test_products_of_a_shop_are_taken_as_the_file_says(importer, api, name, file, wanted):
    options = ["--currency", "GBP"] + (["--encoding", "windows-1252"] if name == "prestashop" else [])
    rows = wanted()
    good = {sku: row for sku, row in rows.items() if CODE.fullmatch(sku)}

    done = importer.run("products", FILES / file, *options)

    assert done.stdout.splitlines()[0] == f"format: {name}, recognised by the header"
    assert done.lines == (len(good), 0, len(rows) - len(good)), done.stderr
    assert all("--map sku=code(COLUMN)" in reason for reason in done.refusals.values())
    assert_products(api, good)
    again = importer.run("products", FILES / file, "--from", name, *options)
    assert again.stdout.splitlines()[0] == f"format: {name}"
    assert again.lines == (0, len(good), len(rows) - len(good))


def test_descriptions_are_plain_and_images_are_the_first(api):
    assert product(api, "JMP-S")["description"] == "Soft, warm and blue."
    assert product(api, "JMP-M")["image_url"] == "https://img.example.org/a.jpg"
    assert product(api, "PS-1")["image_url"] == "https://img.example.org/1.jpg"


# stock

def shopify_columns():
    return {(PLACES[place], shopify_sku(row, "")[0]): int(row[place]) for row in read("shopify_inventory_columns.csv")
            for place in PLACES if row[place] and row[place] != "not stocked"}


def shopify_rows():
    return {(PLACES[row["Location"]], row["SKU"]): int(row["On hand (new)"] or row["On hand (current)"])
            for row in read("shopify_inventory_rows.csv")}


def square_stock():
    return {(PLACES[place], row["SKU"] or row["GTIN"] or row["Token"]): Decimal(row[f"Current Quantity {place}"])
            for row in read("square_items.csv") for place in PLACES if row[f"Current Quantity {place}"]}


def lightspeed_stock():
    return {(PLACES[place], row["sku"]): Decimal(row["inventory_" + place.replace(" ", "_")]) for row in read("lightspeed_products.csv")
            for place in PLACES}


def magento_stock():
    return {(row["source_code"], row["sku"]): Decimal(row["quantity"]) for row in read("magento_stock_sources.csv")}


def odoo_stock():
    return {(PLACES[row["Location"]], re.match(r"\[(.*?)\]", row["Product"])[1]): Decimal(row["Quantity"].replace(",", ""))
            for row in read("odoo_stock.csv") if row["Location"] in PLACES}


STOCK = [("shopify", "shopify_inventory_columns.csv", shopify_columns), ("shopify", "shopify_inventory_rows.csv", shopify_rows),
         ("square", "square_items.csv", square_stock), ("lightspeed", "lightspeed_products.csv", lightspeed_stock),
         ("magento", "magento_stock_sources.csv", magento_stock), ("odoo", "odoo_stock.csv", odoo_stock)]


@pytest.mark.parametrize("name, file, wanted", STOCK, ids=[file for _, file, _ in STOCK])
def test_stock_of_a_shop_is_taken_for_each_location(importer, api, name, file, wanted):
    figures = wanted()
    importer.run("products", importer.write("all.csv", "sku,title", *(f"{sku},T" for sku in {sku for _, sku in figures})), expect=OK)
    good = {key: int(figure) for key, figure in figures.items() if figure == int(figure)}

    done = importer.run("stock", FILES / file, "--negative", "zero")

    assert done.stdout.splitlines()[0] == f"format: {name}, recognised by the header"
    assert (done["taken"] + done["unchanged"], done["refused"]) == (len(good), len(figures) - len(good)), done.stderr
    assert all("parts of a unit" in reason for reason in done.refusals.values())
    assert {key: on_hand(api, *key) for key in good} == {key: max(figure, 0) for key, figure in good.items()}
    assert done["taken as zero"] == sum(figure < 0 for figure in good.values())


@pytest.mark.parametrize("file, sku, figure", [("woocommerce_products.csv", "woo-tee-red", 12), ("magento_products.csv", "24-MB01", 100),
                                               ("prestashop_products.csv", "PS-1", 30), ("amazon_listings.txt", "AM-1", 5),
                                               ("shopify_products.csv", "JMP-S", 5)])
def test_quantities_of_a_products_file_need_a_location_and_are_taken(importer, api, file, sku, figure):
    done = importer.run("stock", FILES / file, "--encoding", "windows-1252", expect=WRONG_USAGE)
    assert 'lacks the column "location"' in done.stderr and "--set TARGET=VALUE" in done.stderr
    importer.run("stock", FILES / file, "--encoding", "windows-1252", "--set", "location=High Street 1", "--negative", "zero")
    assert on_hand(api, "hs1", sku) == figure


# locations

def test_google_locations_are_taken_with_their_hours(importer, api):
    (row,) = read("google_business_locations.csv")
    done = importer.run("locations", FILES / "google_business_locations.csv", "--set", "time_zone=Europe/London", "--set",
                        "capabilities=pickup", expect=OK)
    assert done.stdout.splitlines()[0] == "format: google-business, recognised by the header" and done.lines == (1, 0, 0)
    there = api.get(f"/v1/locations/{row['Store code']}", expect=200).json()
    assert (there["name"], there["country"], there["latitude"]) == (row["Business name"], row["Country / Region"], float(row["Latitude"]))
    wanted = [{"day": day[:3].lower(), "opens": span[:5], "closes": span[6:]}
              for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
              for span in row[f"{day} hours"].split(", ") if span != "x"]
    assert there["opening_hours"] == wanted
    assert [(c["date"], c.get("opens"), c.get("closes")) for c in there["closures"]] == [
        ("2026-12-24", "09:00", "13:00"), ("2026-12-25", None, None)]


# maps of the caller

def test_columns_are_mapped_on_the_command_line(importer, api):
    path = importer.write("own.csv", "Art.-Nr.;Bezeichnung;Farbe;Preis", "M-1;Tee;grün;1.250,90", "M-2;Kaffee;;7,5")
    importer.run("products", path, "--map", "sku=Art.-Nr.,title=Bezeichnung+Farbe,price=Preis", "--set", "currency=EUR", expect=OK)
    assert_products(api, {"M-1": ("Tee grün", 125090, None), "M-2": ("Kaffee", 750, None)})


def test_locations_are_columns_on_the_command_line(importer, api):
    importer.run("products", importer.write("p.csv", "sku,title", "L-1,T", "L-2,T"), expect=OK)
    path = importer.write("own.csv", "sku,High Street 1,whs,Else", "L-1,4,5,6", "L-2,,7,6")
    done = importer.run("stock", path, "--map", 'on_hand=@"High Street 1"+@whs', expect=OK)
    assert done.lines == (3, 0, 0) and '"Else"' in done.stderr
    assert (on_hand(api, "hs1", "L-1"), on_hand(api, "whs", "L-1"), on_hand(api, "whs", "L-2")) == (4, 5, 7)


def test_a_map_may_be_a_file_and_a_shipped_one_may_be_changed(importer, shop, api):
    text = shop.run("import", "--print-map", "shopify", check=OK).stdout
    assert text == (ROOT / "src" / "importing" / "formats" / "shopify.map").read_text(encoding="utf-8")
    changed = importer.directory / "mine.map"
    changed.write_text(text.replace('title = Title + "Option1 Value"', "title = 'Mine' + Title"), encoding="utf-8")
    importer.run("products", FILES / "shopify_products.csv", "--map-file", changed, "--currency", "GBP", expect=SOME_REFUSED)
    assert product(api, "JMP-M")["title"] == "Mine Jumper"
    plain = importer.directory / "plain.map"
    plain.write_text("# two lines\nsku = A\ntitle = B + 'x'\n", encoding="utf-8")
    importer.run("products", importer.write("own.csv", "A,B", "F-1,T"), "--map-file", plain, expect=OK)
    assert product(api, "F-1")["title"] == "T x"


def test_a_location_is_found_by_its_code_or_name_and_never_guessed(importer, api):
    importer.run("products", importer.write("p.csv", "sku,title", "N-1,T"), expect=OK)
    for code in ("twin-1", "twin-2"):
        api.put(f"/v1/locations/{code}", {"name": "Twin", "kind": "store", "time_zone": "Europe/London", "country": "GB"}, expect=(200, 201))
    done = importer.run("stock", importer.write("s.csv", "location,sku,on_hand", "HIGH-street_1,N-1,3", "whs,N-1,4", "twin,N-1,5",
                                                "No Such,N-1,6", "old,N-1,7"), expect=SOME_REFUSED)
    assert done.lines == (3, 0, 2)
    assert "several locations" in done.refusals[4] or "no such location" in done.refusals[4]
    assert "neither the code nor the name" in done.refusals[5]
    assert (on_hand(api, "hs1", "N-1"), on_hand(api, "high_street", "N-1")) == (3, 7)


@pytest.mark.parametrize("options, word", [
    (["--from", "shopify"], 'the header line is not that of shopify; it needs the columns "Handle", "Variant SKU", "Variant Price"'),
    (["--from", "ebay"], "the formats are amazon, "), (["--from", "google-business"], "no map for this kind"),
    (["--map", "sku=Nowhere"], 'the file has no column "Nowhere"'), (["--map", "prize=a"], 'there is no column "prize"'),
    (["--set", "title"], "a = is missing"), (["--map-file", "/nowhere.map"], "No such file"), (["--decimal", "x"], "--decimal is"),
    (["--from", "shopify", "--map-file", "x"], "either")])
def test_a_wrong_map_is_refused_before_anything_is_taken(importer, options, word):
    done = importer.run("products", importer.write("p.csv", "sku,title", "W-1,T"), *options, expect=WRONG_USAGE)
    assert word in done.stderr


# figures

def test_prices_are_read_when_their_pattern_leaves_no_doubt(importer, api):
    rows = {"1": ("£1,250.00", 125000), "2": ("16,50", 1650), "3": ("34.0000", 3400), "4": ("5.00 GBP", 500), "5": ("1 234.5", 123450),
            "6": ("1,200", None), "7": ("€5.00", None), "8": ("free", None)}
    path = importer.write("p.csv", "sku,title,price", *(f'D-{n},T,"{price}"' for n, (price, _) in rows.items()))
    done = importer.run("products", path, "--currency", "GBP", expect=SOME_REFUSED)
    assert done.lines == (5, 0, 3) and "--decimal" in done.refusals[7] and "sign" in done.refusals[8]
    for n, (_, amount) in rows.items():
        if amount:
            assert product(api, f"D-{n}")["price"]["amount"] == amount
    importer.run("products", importer.write("p.csv", "sku,title,price", 'D-6,T,"1,200"'), "--currency", "GBP", "--decimal", ".", expect=OK)
    assert product(api, "D-6")["price"]["amount"] == 120000


def test_quantities_may_have_zeros_and_thousands(importer, api):
    importer.run("products", importer.write("p.csv", "sku,title", *(f"Q-{n},T" for n in range(4))), expect=OK)
    path = importer.write("s.csv", "location,sku,on_hand", "whs,Q-0,12.0", 'whs,Q-1,"1,200"', "whs,Q-2,2.5", "whs,Q-3,100.0000")
    done = importer.run("stock", path, expect=SOME_REFUSED)
    assert done.lines == (3, 0, 1) and "parts of a unit" in done.refusals[4]
    assert [on_hand(api, "whs", f"Q-{n}") for n in (0, 1, 3)] == [12, 1200, 100]
    done = importer.run("stock", importer.write("s.csv", "location;sku;on_hand", "whs;Q-1;1,200"), expect=SOME_REFUSED)
    assert "--decimal" in done.refusals[2]

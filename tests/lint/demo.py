#!/usr/bin/python3
"""The demo retailer in deploy/demo is one that `holdfast import` takes whole, and that could exist."""

import csv
import math
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

from sources import ROOT, report

DEMO = ROOT / "deploy" / "demo"
HEADERS = {
    "locations": "code,name,kind,latitude,longitude,time_zone,country,capabilities,lead_time,hold_for,opening_hours,closures,slots",
    "products": "sku,title,gtin,price,currency,description,image_url",
    "stock": "location,sku,on_hand",
}
STORES, WAREHOUSES, PRODUCTS_AT_LEAST = 8, 1, 40

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:+@-]{0,63}")
DURATION = re.compile(r"P(\d+D|T\d+H)")
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TIME = r"([01]\d|2[0-3]):[0-5]\d"
HOURS = re.compile(rf"(?:{'|'.join(DAYS)})(?:-(?:{'|'.join(DAYS)}))? (?P<opens>{TIME})-(?P<closes>{TIME})")
CLOSURE = re.compile(rf"\d{{4}}-\d\d-\d\d(?: {TIME}-{TIME})?")
SLOT = re.compile(rf"(?:{'|'.join(DAYS)}) {TIME}-{TIME} x [1-9]\d*")
CAPABILITIES = {"pickup", "curbside", "ship", "returns"}
EXAMPLE_PREFIX = "952"  # GS1 gives it to nobody: for demonstrations and examples
ZONES = Path("/usr/share/zoneinfo/zone.tab")
ZONE_RADIUS_KM = 700  # how far a place may be from the city that its zone is named for
EARTH_RADIUS_KM = 6371


class Table:
    """One file: its rows by number and its faults. A number is that of the row; the header line is 1."""

    def __init__(self, name):
        self.path = DEMO / f"{name}.csv"
        self.faults = []
        with open(self.path, newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))
        header = HEADERS[name].split(",")
        if lines[0] != header:
            self.fault(1, f"the header line is not {HEADERS[name]}")
        self.rows = [(number, dict(zip(header, line))) for number, line in enumerate(lines[1:], start=2)]
        for number, line in enumerate(lines[1:], start=2):
            if len(line) != len(header):
                self.fault(number, f"{len(line)} columns instead of {len(header)}")

    def fault(self, number, text):
        self.faults.append((self.path, number, text))

    def expect(self, number, holds, text):
        if not holds:
            self.fault(number, text)

    def keys(self, *columns):
        """The keys of all rows, which must be unique and in order."""
        keys = [tuple(row[column] for column in columns) for _, row in self.rows]
        self.expect(1, keys == sorted(set(keys)), f"rows are not unique and sorted by {', '.join(columns)}")
        return {key if len(columns) > 1 else key[0] for key in keys}


def has_check_digit(gtin):
    """GS1 General Specifications 7.9: from the right, weights 1, 3, 1, 3, ...; the sum ends in 0."""
    return sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(reversed(gtin))) % 10 == 0


def is_price(text):
    try:
        return Decimal(text) > 0 and bool(re.fullmatch(r"\d+\.\d\d", text))
    except InvalidOperation:
        return False


def degrees(text):
    """ISO 6709 as the zone table writes it: +DDMM, +DDDMM, with seconds or without."""
    sign, digits = text[0], text[1:]
    whole, rest = (digits[:-4], digits[-4:]) if len(digits) > 5 else (digits[:-2], digits[-2:] + "00")
    value = int(whole) + int(rest[:2]) / 60 + int(rest[2:]) / 3600
    return -value if sign == "-" else value


def zones():
    """Zone: (countries, latitude, longitude), from the time zone database."""
    found = {}
    for line in ZONES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        countries, place, name = line.split("\t")[:3]
        latitude, longitude = re.fullmatch(r"([+-]\d+)([+-]\d+)", place).groups()
        found[name] = (countries.split(","), degrees(latitude), degrees(longitude))
    return found


def distance_km(one, other):
    (a, b), (c, d) = ([math.radians(float(value)) for value in place] for place in (one, other))
    haversine = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(haversine))


def parts(cell):
    return [part.strip() for part in cell.split(";") if part.strip()]


def is_by_day(found):
    return found["opens"] < found["closes"] <= "22:00" and found["opens"] >= "06:00"


def check_hours(table, number, row):
    """A store has the hours of a store: an order in the evening is promised for the next day."""
    collects = {"pickup", "curbside"} & set(parts(row["capabilities"]))
    hours = [HOURS.fullmatch(part) for part in parts(row["opening_hours"])]
    table.expect(number, bool(hours) or not collects, "customers collect there, and it has no opening hours")
    table.expect(number, all(found and is_by_day(found) for found in hours), "opening_hours")
    table.expect(number, row["closures"] and all(CLOSURE.fullmatch(part) for part in parts(row["closures"])), "closures")
    table.expect(number, all(SLOT.fullmatch(part) for part in parts(row["slots"])), "slots")


def check_locations(table):
    known = zones()
    kinds = [row["kind"] for _, row in table.rows]
    table.expect(1, (kinds.count("store"), kinds.count("warehouse")) == (STORES, WAREHOUSES), f"not {STORES} stores and {WAREHOUSES} warehouse")
    table.expect(1, any(row["slots"] for _, row in table.rows), "no store has pickup slots")
    for number, row in table.rows:
        check_hours(table, number, row)
        table.expect(number, CODE.fullmatch(row["code"]), "code")
        table.expect(number, row["name"].strip() == row["name"] != "", "name")
        capabilities = row["capabilities"].split(";")
        table.expect(number, set(capabilities) <= CAPABILITIES and len(set(capabilities)) == len(capabilities), "capabilities")
        table.expect(number, DURATION.fullmatch(row["lead_time"]) and DURATION.fullmatch(row["hold_for"]), "durations")
        if row["time_zone"] not in known:
            table.fault(number, f"there is no time zone {row['time_zone']}")
            continue
        countries, *city = known[row["time_zone"]]
        table.expect(number, row["country"] in countries, f"{row['time_zone']} is not the time of {row['country']}")
        far = distance_km((row["latitude"], row["longitude"]), city)
        table.expect(number, far < ZONE_RADIUS_KM, f"{far:.0f} km away from {row['time_zone']}")


def check_products(table):
    gtins = [row["gtin"] for _, row in table.rows]
    table.expect(1, len(set(gtins)) == len(gtins) >= PRODUCTS_AT_LEAST, f"not {PRODUCTS_AT_LEAST} products, each with a GTIN of its own")
    for number, row in table.rows:
        table.expect(number, CODE.fullmatch(row["sku"]), "sku")
        table.expect(number, row["title"] and row["description"], "title and description")
        table.expect(number, row["gtin"].startswith(EXAMPLE_PREFIX) and re.fullmatch(r"\d{13}", row["gtin"]), "gtin is none for examples")
        table.expect(number, row["gtin"].isdigit() and has_check_digit(row["gtin"]), "gtin has a wrong check digit")
        table.expect(number, is_price(row["price"]) and row["currency"] == "EUR", "price")


def check_stock(table, locations, skus):
    for number, row in table.rows:
        table.expect(number, row["location"] in locations, f"there is no location {row['location']}")
        table.expect(number, row["sku"] in skus, f"there is no product {row['sku']}")
        table.expect(number, row["on_hand"].isdigit(), "on_hand")
    stocked = {row["sku"] for _, row in table.rows}
    table.expect(1, stocked == skus, f"nowhere in stock: {', '.join(sorted(skus - stocked))}")


def faults():
    locations, products, stock = (Table(name) for name in HEADERS)
    check_locations(locations)
    check_products(products)
    check_stock(stock, locations.keys("code"), products.keys("sku"))
    stock.keys("location", "sku")
    return locations.faults + products.faults + stock.faults


if __name__ == "__main__":
    report(faults())

"""holdfast import and the file itself, for all kinds: encodings, headers, cut files, hostile text, messages."""

import re
import signal
import subprocess

import pytest

from support.importing import OK, SOME_REFUSED, WRONG_USAGE, Importer
from support.waiting import eventually

HEADERS = {"products": "sku,title,gtin,price,currency,description,image_url",
           "locations": "code,name,kind,latitude,longitude,time_zone,country,capabilities,lead_time,hold_for",
           "stock": "location,sku,on_hand",
           "orders": "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"}

# A CSI sequence, a CR, DEL, C1 as UTF-8, an override and an isolate of the direction, a line separator.
HOSTILE = "x\x1b[2J\r\x7f\x9b31m\u202e\u2066\u2028\u200f\u061cy"
SPOKEN = {c for c in HOSTILE if c not in "x[2J31my"}


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


@pytest.fixture
def take(importer, retailer):
    """Import lines of a kind; orders get their options."""
    def take(kind, *lines, options=(), encoding="utf-8", **keywords):
        if kind == "orders":
            options = ("--channel", retailer.channel, "--location", retailer.store, *ORDER_OPTIONS, *options)
        path = lines[0] if len(lines) == 1 and not isinstance(lines[0], str) else importer.write(
            f"{kind}.csv", *lines, encoding=encoding)
        return importer.run(kind, path, *options, **keywords)
    return take


ORDER_OPTIONS = ("--currency", "GBP")


def good_row(kind, retailer):
    return {"products": f"{retailer.sku},Tea,,,,,", "locations": f"l-{retailer.tag},L,store,,,Europe/Berlin,DE,,,",
            "stock": f"{retailer.store},{retailer.sku},7",
            "orders": f"1,{retailer.sku},X,1,2010-12-01 08:26,2.55,,France"}[kind]


# nothing of a file reaches the terminal raw

def bytes_of(importer, kind, path, options):
    done = subprocess.run(importer.command(kind, path, *options), env=importer.service.environment(), timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout + done.stderr


def assert_harmless(printed):
    text = printed.decode("utf-8")  # fails for half a sequence
    assert not SPOKEN & set(text), text
    assert all(c >= " " or c == "\n" for c in text), text


def cells(kind):
    return range(len(HEADERS[kind].split(",")))


@pytest.mark.parametrize("kind", HEADERS)
def test_no_cell_of_a_row_speaks_to_the_terminal(importer, retailer, kind):
    options = ("--channel", retailer.channel, "--location", retailer.store, *ORDER_OPTIONS) if kind == "orders" else ()
    rows = []
    for column in cells(kind):
        row = good_row(kind, retailer).split(",")
        row[column] = '"' + HOSTILE + "ü" * 600 + '"'
        rows.append(",".join(row))
    printed = bytes_of(importer, kind, importer.write("hostile.csv", HEADERS[kind], *rows), options)
    assert b"hostile.csv:2: " in printed
    assert_harmless(printed)


@pytest.mark.parametrize("kind", HEADERS)
def test_no_column_of_a_header_speaks_to_the_terminal(importer, retailer, kind):
    options = ("--channel", retailer.channel, "--location", retailer.store, *ORDER_OPTIONS) if kind == "orders" else ()
    for header in (f'{HEADERS[kind]},"{HOSTILE}"', HEADERS[kind].replace(",", "\r"), f'"{"ü" * 200}{HOSTILE}"'):
        for strict in ((), ("--strict",)):
            printed = bytes_of(importer, kind, importer.write("hostile.csv", header), (*options, *strict))
            assert b"the header line" in printed or b"passed over" in printed
            assert_harmless(printed)


def test_the_name_of_the_file_does_not_speak_to_the_terminal(importer, retailer):
    path = importer.write("stock\x1b[2J.csv", HEADERS["stock"], f"{retailer.store},{retailer.sku},-1")
    printed = bytes_of(importer, "stock", path, ())
    assert b"stock?[2J.csv:2: " in printed
    assert_harmless(printed)


# headers

def separated(separator, lines):
    return [separator.join(f'"{cell}"' if separator in cell else cell for cell in line.split(",")) for line in lines]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("kind", HEADERS)
def test_a_file_is_read_by_the_separator_of_its_header(take, retailer, kind, separator):
    lines = separated(separator, [HEADERS[kind], good_row(kind, retailer)])
    assert take(kind, *lines, expect=OK).lines == (1, 0, 0)
    lines[0] = separator.join(f'"{name}"' for name in HEADERS[kind].split(","))
    assert take(kind, *lines, expect=OK).lines == (0, 1, 0)
    assert take(kind, f"sep={separator}", *lines, expect=OK).lines == (0, 1, 0)


@pytest.mark.parametrize("name, separator", [(",", ","), (";", ";"), ("tab", "\t")])
def test_the_separator_may_be_named(take, retailer, name, separator):
    lines = separated(separator, [HEADERS["stock"] + ",a;b|c;d|e;f|g;h", f"{retailer.store},{retailer.sku},7,x"])
    assert take("stock", *lines, options=("--delimiter", name), expect=OK).lines == (1, 0, 0)
    other = ";" if separator == "," else ","
    done = take("stock", *lines, options=("--delimiter", other), expect=WRONG_USAGE)
    assert 'lacks the columns "location", "sku", "on_hand"' in done.stderr


def test_a_strange_header_is_refused_with_all_its_columns_and_the_wanted_ones(take):
    names = [f"Column {n}" for n in range(79)]
    done = take("orders", ",".join(names), expect=WRONG_USAGE)
    assert 'lacks the columns "InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice"' in done.stderr
    assert "79 unknown columns: " + ", ".join(f'"{name}"' for name in names) in done.stderr
    assert "InvoiceNo,StockCode" in done.stderr
    done = take("orders", ",".join(f"Column {n}" for n in range(600)), expect=WRONG_USAGE)
    assert "more than 512 columns" in done.stderr and "InvoiceNo,StockCode" in done.stderr


@pytest.mark.parametrize("kind", HEADERS)
def test_unknown_columns_are_passed_over_and_listed_once(take, retailer, kind):
    names = HEADERS[kind].split(",")
    header = ",".join([f"Strange {n}" for n in range(512 - len(names))] + names)
    row = "x," * (512 - len(names)) + good_row(kind, retailer)
    done = take(kind, header, row, expect=OK)
    assert done.lines == (1, 0, 0)
    (line,) = done.stderr.splitlines()
    assert f"passed over, {512 - len(names)} unknown columns: " in line and '"Strange 0"' in line and f'"Strange {511 - len(names)}"' in line
    assert "--strict" in take(kind, header, row, options=("--strict",), expect=WRONG_USAGE).stderr


def test_names_of_columns_match_without_regard_to_case_blanks_and_dashes(take, retailer):
    take("stock", " LOCATION , S-K-U,On Hand,,", f"{retailer.store},{retailer.sku},7,,", ",,,,", expect=OK)
    assert retailer.figures()["on_hand"] == 7


@pytest.mark.parametrize("kind", HEADERS)
def test_a_line_that_repeats_the_header_is_refused(take, retailer, kind):
    outcome = take(kind, HEADERS[kind], good_row(kind, retailer), HEADERS[kind].upper(), expect=SOME_REFUSED)
    assert outcome.lines == (1, 0, 1) and "repeats the header" in outcome.refusals[3]


# encodings

def test_a_byte_order_mark_decides_over_the_encoding_that_was_named(take, retailer, api):
    sku = f"mark-{retailer.tag}"
    take("products", "\ufeff" + HEADERS["products"], f"{sku},Théière,,,,,", options=("--encoding", "latin1"), expect=OK)
    assert api.get(f"/v1/products/{sku}", expect=200).json()["title"] == "Théière"


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf16_is_read_by_its_byte_order_mark(take, retailer, kind, encoding):
    done = take(kind, "\ufeff" + HEADERS[kind], good_row(kind, retailer), encoding=encoding, expect=OK)
    assert done.lines == (1, 0, 0) and not done.stderr


@pytest.mark.parametrize("name, encoding", [("utf-16", "utf-16-le"), ("utf-16", "utf-16-be"), ("windows-1252", "windows-1252"),
                                            ("latin1", "latin-1"), ("utf-8", "utf-8"), ("auto", "utf-8")])
def test_the_encoding_may_be_named(take, retailer, api, name, encoding):
    title = "Théière €" if encoding != "latin-1" else "Théière"
    take("products", HEADERS["products"], f"{retailer.sku},{title},,,,,", options=("--encoding", name), encoding=encoding, expect=OK)
    assert api.get(f"/v1/products/{retailer.sku}", expect=200).json()["title"] == title


# the end

@pytest.mark.parametrize("kind", HEADERS)
def test_a_last_line_without_its_end_is_taken_and_named(importer, take, retailer, kind):
    path = importer.directory / f"{kind}.csv"
    path.write_text(f"{HEADERS[kind]}\n{good_row(kind, retailer)}", encoding="utf-8")
    outcome = take(kind, path, expect=OK)
    assert outcome["taken"] == 1 and "has no line end" in outcome.refusals[2]
    path.write_text(f"{HEADERS[kind]}\n{good_row(kind, retailer)}\n", encoding="utf-8")
    assert take(kind, path, expect=OK).stderr == ""


def waiting_rows(kind, retailer):
    if kind == "products":
        return [f"stop-{retailer.tag}-{n},Tea,,,,," for n in range(300)]
    return [f"{retailer.store},stop-{retailer.tag}-{n},7" for n in range(600)]


@pytest.mark.parametrize("kind, chunk, number, code", [("products", 256, signal.SIGINT, 130), ("stock", 500, signal.SIGTERM, 143)])
def test_an_import_that_is_stopped_tells_its_sums(importer, take, retailer, database, kind, chunk, number, code):
    """A pipe keeps the import waiting for more, so the signal finds it between rows."""
    rows = waiting_rows(kind, retailer)
    if kind == "stock":
        take("products", "sku,title", *(f"stop-{retailer.tag}-{n},Tea" for n in range(600)), expect=OK)
    table = {"products": "products", "stock": "stock"}[kind]
    process = subprocess.Popen(importer.command(kind, "/dev/stdin"), env=importer.service.environment(), text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write("\n".join([HEADERS[kind], *rows, ""]))
    process.stdin.flush()
    eventually(lambda: database.count(table, "sku like %s", f"stop-{retailer.tag}-%") == chunk, what="full chunks", within=60)
    process.send_signal(number)
    assert process.wait(60) == code
    stdout, stderr = process.stdout.read(), process.stderr.read()
    process.stdin.close()
    assert "was stopped" in stderr
    sums = dict(line.strip().rsplit(None, 1) for line in stdout.splitlines()[1:])
    read, taken, not_reached = (int(sums.get(name, 0)) for name in ("lines read", "taken", "not reached"))
    # The signal may come before the rows behind the full chunks were read.
    assert taken == chunk and taken + not_reached == read <= len(rows) and sums["refused"] == "0"


def test_orders_that_are_stopped_tell_their_sums_and_are_finished_by_the_next_run(importer, retailer, database):
    path = importer.write("orders.csv", HEADERS["orders"], *(
        f"{n},{retailer.sku},X,1,2010-12-01 08:26,2.55,,France" for n in range(20_000)))
    options = ("--channel", retailer.channel, "--location", retailer.store, *ORDER_OPTIONS)
    process = subprocess.Popen(importer.command("orders", path, *options), env=importer.service.environment(), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    eventually(lambda: database.count("orders", "channel = %s", retailer.channel), what="the first order", within=60)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    sums = dict(line.strip().rsplit(None, 1) for line in stdout.splitlines()[1:])
    stored = database.count("orders", "channel = %s", retailer.channel)
    assert int(sums["taken"]) == stored > 0 and int(sums["not reached"]) == 20_000 - stored
    outcome = importer.run("orders", path, *options, expect=OK)
    assert outcome.lines == (20_000 - stored, stored, 0)


# messages

def test_messages_name_the_row_and_its_figure(take, retailer):
    tag = retailer.tag
    outcome = take("stock", HEADERS["stock"], f"{retailer.store},nothing-{tag},12", f"{retailer.store},{retailer.sku},1.5",
                   f"{retailer.store},_A,13", f"{retailer.store},{retailer.sku},14", f"{retailer.store},{retailer.sku},15",
                   expect=SOME_REFUSED)
    for line, words in {2: [f"nothing-{tag}", "12"], 3: [retailer.sku, "1.5"], 4: ["_A", "13", "the first a letter or digit"],
                        6: [retailer.sku, "15", "line 5"]}.items():
        for word in [*words, retailer.store]:
            assert word in outcome.refusals[line], outcome.refusals[line]
    outcome = take("products", HEADERS["products"], f"bad-{tag},T,123,,,,", "_A,T,,,,,", f"price-{tag},T,,x,EUR,,",
                   expect=SOME_REFUSED)
    assert f"bad-{tag}" in outcome.refusals[2] and f"price-{tag}" in outcome.refusals[4]
    assert '"_A"' in outcome.refusals[3] and "the first a letter or digit" in outcome.refusals[3]
    outcome = take("locations", HEADERS["locations"], f"l-{tag},L,shop,,,Europe/Berlin,DE,,,", "_L,L,store,,,Europe/Berlin,DE,,,",
                   expect=SOME_REFUSED)
    assert f"l-{tag}" in outcome.refusals[2] and "the first a letter or digit" in outcome.refusals[3]
    outcome = take("orders", HEADERS["orders"], f"77,nothing-{tag},X,3,2010-12-01 08:26,2.55,,France",
                   f"77,{retailer.sku},X,4,2010-12-01 08:26,dear,,France", f"77,_A,X,5,2010-12-01 08:26,1,,France",
                   expect=SOME_REFUSED)
    for line, words in {2: [f"nothing-{tag}", "77", "3 of"], 3: [retailer.sku, "77", "4 of"], 4: ["_A", "77", "5 of"]}.items():
        for word in words:
            assert word in outcome.refusals[line], outcome.refusals[line]


# One refused row for each fault: the column at fault, the row's cells by column, and the subject that the message names.
GOOD = {"products": {"sku": "{sku}", "title": "T", "price": "1", "currency": "EUR"},
        "locations": {"code": "l-{tag}", "name": "L", "kind": "store", "latitude": "1", "longitude": "1",
                      "time_zone": "Europe/Berlin", "country": "DE", "lead_time": "PT2H", "hold_for": "P7D"},
        "stock": {"location": "{store}", "sku": "{sku}", "on_hand": "1"},
        "orders": {"InvoiceNo": "77", "StockCode": "{sku}", "Quantity": "3", "InvoiceDate": "2010-12-01 08:26", "UnitPrice": "1"}}
WRONG = [("products", {"sku": "_A"}, "sku"), ("products", {"title": ""}, "title"), ("products", {"gtin": "123"}, "gtin"),
         ("products", {"price": "x"}, "price"), ("products", {"currency": "eur"}, "currency"),
         ("products", {"currency": ""}, "price"), ("products", {"image_url": "ftp://x"}, "image_url"),
         ("locations", {"code": "_L"}, "code"), ("locations", {"kind": "shop"}, "kind"), ("locations", {"latitude": "91"}, "latitude"),
         ("locations", {"longitude": "east"}, "longitude"), ("locations", {"time_zone": "Nowhere"}, "time_zone"),
         ("locations", {"country": "Germany"}, "country"), ("locations", {"capabilities": "fly"}, "capabilities"),
         ("locations", {"lead_time": "soon"}, "lead_time"), ("locations", {"hold_for": "PT1S"}, "hold_for"),
         ("stock", {"location": "_L"}, "location"), ("stock", {"location": "nowhere-{tag}"}, "location"), ("stock", {"sku": "_A"}, "sku"),
         ("stock", {"sku": "none-{tag}"}, "sku"), ("stock", {"on_hand": "many"}, "on_hand"), ("stock", {"on_hand": "-1"}, "on_hand"),
         ("orders", {"StockCode": "_A"}, "StockCode"), ("orders", {"StockCode": "none-{tag}"}, "StockCode"),
         ("orders", {"StockCode": "POST"}, "StockCode"), ("orders", {"Quantity": "0"}, "Quantity"), ("orders", {"Quantity": "-1"}, "Quantity"),
         ("orders", {"Quantity": "few"}, "Quantity"), ("orders", {"Quantity": "10000000"}, "Quantity"),
         ("orders", {"InvoiceDate": "soon"}, "InvoiceDate"), ("orders", {"InvoiceDate": "2999-01-01 10:00"}, "InvoiceDate"),
         ("orders", {"UnitPrice": "dear"}, "UnitPrice"), ("orders", {"CustomerID": "x" * 101}, "CustomerID"),
         ("orders", {"InvoiceNo": "7" * 101}, "InvoiceNo")]
SUBJECT = {"products": ["sku"], "locations": ["code"], "stock": ["location", "sku"], "orders": ["InvoiceNo", "StockCode"]}


@pytest.mark.parametrize("kind, wrong, column", WRONG, ids=[f"{kind}-{'-'.join(f'{k}={v[:12]}' for k, v in wrong.items())}" for kind, wrong, _ in WRONG])
def test_a_refused_line_names_the_column_and_the_subject(take, retailer, kind, wrong, column):
    names = {"sku": retailer.sku, "tag": retailer.tag, "store": retailer.store}
    row = {name: value.format(**names) for name, value in {**GOOD[kind], **wrong}.items()}
    reason = take(kind, ",".join(row), ",".join(row.values()), expect=SOME_REFUSED).refusals[2]
    assert re.search(rf"(^|: |; ){column}[/:]", reason), reason
    for name in SUBJECT[kind]:
        assert row[name][:64] in reason, reason


def test_a_wrong_date_is_explained_by_the_dates_of_the_file_or_the_option(take, retailer):
    def reason(*dates, options=()):
        rows = [f"{n},{retailer.sku},X,1,{date},1,,France" for n, date in enumerate(dates)]
        return take("orders", HEADERS["orders"], *rows, options=options, expect=SOME_REFUSED).refusals[2]

    assert "such as 2010-12-31 08:26" in reason("soon", "2010-12-01 08:26")
    assert "such as 31/12/2010" in reason("soon", "13/12/2010 08:26")
    assert "such as 12/31/2010" in reason("soon", "12/13/2010 08:26")
    assert "such as 01/12/2010 08:26 or 2010-12-01" in reason("soon")
    for order, example in (("dmy", "31/12/2010"), ("mdy", "12/31/2010"), ("iso", "2010-12-31")):
        assert f"such as {example}" in reason("soon", "2010-12-01 08:26", options=("--dates", order))


def test_a_negative_figure_is_refused_and_says_that_the_old_one_stays(take, retailer):
    take("stock", HEADERS["stock"], f"{retailer.store},{retailer.sku},8", expect=OK)
    for options in ((), ("--negative", "refuse")):
        outcome = take("stock", HEADERS["stock"], f"{retailer.store},{retailer.sku},-3", options=options, expect=SOME_REFUSED)
        assert "-3" in outcome.refusals[2] and "the old figure stays" in outcome.refusals[2]
        assert retailer.figures()["on_hand"] == 8


def test_a_negative_figure_is_zero_when_that_is_said(take, retailer):
    take("stock", HEADERS["stock"], f"{retailer.store},{retailer.sku},8", expect=OK)
    outcome = take("stock", HEADERS["stock"], f"{retailer.store},{retailer.sku},-3", options=("--negative", "zero"), expect=OK)
    assert outcome["taken as zero"] == 1 and retailer.figures()["on_hand"] == 0


def test_zeros_behind_the_point_are_no_decimals(take, retailer, api):
    sku = f"zeros-{retailer.tag}"
    take("products", HEADERS["products"], f"{sku}-1,T,,34.0000,USD,,", f"{sku}-2,T,,8000.00,JPY,,",
         f"{sku}-3,T,,34.00000000,USD,,", f"{sku}-4,T,,1.2340,KWD,,", expect=OK)
    assert [api.get(f"/v1/products/{sku}-{n}", expect=200).json()["price"]["amount"] for n in (1, 2, 3, 4)] == [
        3400, 8000, 3400, 1234]
    outcome = take("products", HEADERS["products"], f"{sku}-5,T,,34.0010,USD,,", f"{sku}-6,T,,8000.50,JPY,,", expect=SOME_REFUSED)
    assert outcome.lines == (0, 0, 2)


@pytest.mark.parametrize("arguments, word", [
    (["stock", "--encoding", "cp1252"], "--encoding is"), (["stock", "--delimiter", "x"], "--delimiter is"), (["products", "--negative", "zero"], "only stock takes"),
    (["stock", "--negative", "none"], "--negative is"), (["orders", "--channel", "c", "--location", "l", "--currency", "gbp"], '--currency "gbp": Write the code in capitals: GBP'),
    (["orders", "--channel", "_c", "--location", "l"], '--channel "_c"'), (["orders", "--channel", "c", "--location", "_l"], '--location "_l"')])
def test_a_wrong_option_is_named(service, arguments, word):
    done = service.run("import", *arguments, "x.csv", check=WRONG_USAGE)
    assert word in done.stderr

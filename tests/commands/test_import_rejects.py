"""holdfast import --rejects: refused rows come out as they were, and go in again once they are mended."""

import csv
import subprocess

import pytest

from support.importing import OK, SOME_REFUSED, WRONG_USAGE, Importer


@pytest.fixture
def importer(service, tmp_path):
    return Importer(service, tmp_path)


@pytest.fixture
def rejects(tmp_path):
    return tmp_path / "rejects.csv"


def rows_of(path, encoding="utf-8", delimiter=","):
    with open(path, encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_refused_rows_come_out_with_their_line_and_reason(importer, retailer, rejects):
    tag = retailer.tag
    path = importer.write("p.csv", "sku,Title,extra,price,currency,,", f'{tag}-1,"Good",x,1,EUR,,', f'_A,"Bad, ""code""\nof two",y,1,EUR,,',
                          f"{tag}-3,Bad,z,1.999,EUR", "1,2", f"{tag}-4,Good,x,2,EUR,,", '"never closed,1')
    done = importer.run("products", path, "--rejects", rejects, expect=SOME_REFUSED)
    text = rejects.read_text(encoding="utf-8")
    assert text.startswith('sku,Title,extra,price,currency,rejected_line,rejected_reason\n_A,"Bad, ""code""\nof two",y,1,EUR,3,"')
    assert done["refused"] == 4 and len(done.refusals) == 4
    for line, reason in done.refusals.items():
        assert f',{line},"' + reason.replace('"', '""') + '"\n' in text
    assert rows_of(rejects)[2][:6] == [f"{tag}-3", "Bad", "z", "1.999", "EUR", "5"]


@pytest.mark.parametrize("kind", ["products", "stock", "orders"])
def test_mended_rows_go_in_by_the_same_command(importer, retailer, rejects, kind):
    sku = retailer.sku
    header, rows, wrong, right = {
        "products": ("sku,title", [f"{sku},Good", f"{retailer.skus[1]},"], f"{retailer.skus[1]},,", f"{retailer.skus[1]},Mended,"),
        "stock": ("location,sku,on_hand", [f"{retailer.store},{sku},3", f"{retailer.store},{retailer.skus[1]},many"], ",many,", ",4,"),
        "orders": ("InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice", [f"1,{sku},1,2010-12-01 08:26,2", f"2,{sku},few,2010-12-01 08:26,2"],
                   ",few,", ",2,")}[kind]
    options = ("--channel", retailer.channel, "--location", retailer.store, "--currency", "GBP") if kind == "orders" else ()
    path = importer.write("f.csv", header, *rows)
    importer.run(kind, path, *options, "--rejects", rejects, expect=SOME_REFUSED)
    text = rejects.read_text(encoding="utf-8")
    assert text.count("\n") == 2 and wrong in text
    rejects.write_text(text.replace(wrong, right), encoding="utf-8")

    done = importer.run(kind, rejects, *options, "--strict", "--rejects", importer.directory / "again.csv", expect=OK)

    assert done.lines == (1, 0, 0) and not done.stderr
    assert (importer.directory / "again.csv").read_text(encoding="utf-8").count("\n") == 1, "the header alone"


@pytest.mark.parametrize("encoding, options, mark", [("utf-16-le", (), "\ufeff"), ("windows-1252", ("--encoding", "windows-1252"), "")])
def test_rows_of_other_encodings_come_out_as_utf8_with_a_mark(importer, rejects, encoding, options, mark):
    path = importer.write("p.csv", mark + "sku;title", "_A;Thé", encoding=encoding)
    importer.run("products", path, *options, "--rejects", rejects, expect=SOME_REFUSED)
    assert rejects.read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows_of(rejects, "utf-8-sig", ";")[1][:3] == ["_A", "Thé", "2"]
    done = importer.run("products", rejects, *options, expect=SOME_REFUSED)
    assert done.lines == (0, 0, 1) and "_A" in done.refusals[2]


def test_a_line_with_several_locations_comes_out_once_with_all_reasons(importer, retailer, rejects):
    path = importer.write("s.csv", f"sku,{retailer.store},{retailer.other_store}", f"{retailer.sku},-1,-2", f"{retailer.sku},x,")
    importer.run("stock", path, "--map", f"on_hand=@{retailer.store}+@{retailer.other_store}", "--rejects", rejects, expect=SOME_REFUSED)
    rows = rows_of(rejects)
    assert [row[:4] for row in rows[1:]] == [[retailer.sku, "-1", "-2", "2"], [retailer.sku, "x", "", "3"]]
    assert "-1 is below 0" in rows[1][4] and "-2 is below 0" in rows[1][4]


def test_prices_without_a_currency_all_come_out(importer, retailer, rejects):
    path = importer.write("p.csv", "sku,title,price,currency", *(f"{retailer.tag}-{n},T,1," for n in range(5)))
    done = importer.run("products", path, "--rejects", rejects, expect=SOME_REFUSED)
    assert done["refused"] == 5 and len(rows_of(rejects)) == 6


def test_many_refused_rows_come_out_in_bounded_memory(importer, rejects):
    path = importer.write("p.csv", "sku,title", *(f"_{n},T" for n in range(20000)))
    importer.run("products", path, "--rejects", rejects, expect=SOME_REFUSED)
    rows = rows_of(rejects)
    assert [row[0] for row in rows[1:]] == [f"_{n}" for n in range(20000)] and [int(row[2]) for row in rows[1:]] == list(range(2, 20002))


def test_rejects_need_a_file_that_can_be_read_twice_and_one_that_can_be_written(importer, rejects):
    path = importer.write("p.csv", "sku,title", "_A,T")
    done = subprocess.run(importer.command("products", "/dev/stdin", "--rejects", rejects), env=importer.service.environment(),
                          input="sku,title\n_A,T\n", capture_output=True, text=True, timeout=60)
    assert done.returncode == WRONG_USAGE and "a regular one" in done.stderr
    done = importer.run("products", path, "--rejects", "/nowhere/at/all.csv", expect=WRONG_USAGE)
    assert "--rejects /nowhere" in done.stderr and "No such file" in done.stderr

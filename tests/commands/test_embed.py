"""sql/embed.py turns query files into C: statements share text by parts with gaps."""

import pathlib
import subprocess
import sys

import pytest

EMBED = pathlib.Path(__file__).parents[2] / "sql" / "embed.py"

PAGE = """
-- :part page
select {key} from things
 order by {key}{down}

"""


def embed(folder, queries):
    (folder / "queries").mkdir()
    path = folder / "queries" / "things.sql"
    path.write_text(queries)
    return subprocess.run([sys.executable, EMBED, folder, path], capture_output=True, text=True, check=False)


def statements(folder, queries):
    done = embed(folder, queries)
    assert done.returncode == 0, done.stderr
    return (folder / "statements.c").read_text()


def test_a_statement_uses_a_part_and_fills_its_gaps(tmp_path):
    made = statements(tmp_path, PAGE + '-- :name newest\n-- :use page key="id" down=" desc"\n limit 1\n')
    assert '"select id from things\\n"\n\t\t" order by id desc\\n"\n\t\t" limit 1\\n"' in made


def test_a_part_is_no_statement(tmp_path):
    made = statements(tmp_path, PAGE + '-- :name newest\n-- :use page key="id" down=""\n')
    assert "sql_page" not in made
    assert "extern const struct statement sql_newest;" in (tmp_path / "things.h").read_text()


def test_a_part_leaves_a_gap_to_the_statement_that_uses_it(tmp_path):
    made = statements(tmp_path, PAGE + '-- :part newest_page\n  -- :use page down=" desc"\n limit 1\n'
                      + '-- :name newest\n-- :use newest_page key="made_at"\n')
    assert " order by made_at desc" in made


def test_a_lock_adds_a_line_to_the_read(tmp_path):
    made = statements(tmp_path, "-- :name read\nselect 1\n\n-- :name lock\n-- :use read\n   for update\n")
    assert '"select 1\\n"\n\t\t"   for update\\n"' in made


@pytest.mark.parametrize("queries, fault", [
    ("-- :name newest\n-- :use page\n", "there is no part page further up"),
    ("-- :name newest\n-- :use page\n" + PAGE, "there is no part page further up"),
    (PAGE + '-- :name newest\n-- :use page key="id"\n', "newest leaves {down} open"),
    (PAGE + '-- :name newest\n-- :use page key="id" down="" up=""\n', "page has no gap up"),
    ("-- :name newest\nselect 1\n  -- :used page\n", "neither a name, nor a part, nor the use of one"),
    (PAGE + PAGE + '-- :name newest\nselect 1\n', "page is defined twice"),
    ("-- :name newest\n\n-- :name oldest\nselect 1\n", "newest is empty"),
])
def test_a_faulty_part_stops_the_build(tmp_path, queries, fault):
    done = embed(tmp_path, queries)
    assert done.returncode != 0
    assert fault in done.stderr


def test_a_part_that_no_statement_uses_stops_the_build(tmp_path):
    done = embed(tmp_path, PAGE + "-- :name newest\nselect 1\n")
    assert done.returncode != 0
    assert "nothing uses the part page" in done.stderr

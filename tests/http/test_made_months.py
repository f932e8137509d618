"""The months that the benchmarks are measured on (bench/generate.c, bench/load): the same bytes from a seed, and the same facts
whether they come by night or by month."""

import hashlib
import os
import subprocess
import sys

import pytest

from support.service import ROOT, binary

GENERATE = os.path.join(os.path.dirname(binary()), "bench_generate")
SMALL = ["--providers", "8", "--stores", "60", "--months", "2", "--history", "1", "--corrected", "50"]

FACTS = {
    "day facts": "select store_id, day, orders, gmv_fen from store_day order by 1, 2",
    "bindings": "select credit_code, store_id, bound_on, unbound_on from binding join provider using (provider_id) order by 1, 2, 3",
    "stores": "select store_id, valid_from, registered_region, ship_from_regions, industry, category, status from store_version order by 1, 2",
    "people": "select credit_code, person_id, passed_on from exam_pass join provider using (provider_id) order by 1, 2, 3",
    "watermark": "select day from watermark",
    "lives": "select credit_code, p.status, p.balance_fen, d.start_day, d.status from provider p join period d using (provider_id) order by 1",
}


def generate(folder, *options):
    """{name: bytes} of what was written."""
    subprocess.run([GENERATE, *SMALL, *options, str(folder)], check=True)
    return {f.name: f.read_bytes() for f in folder.iterdir()}


def digest(files):
    return hashlib.sha256(b"".join(name.encode() + b"\0" + files[name] for name in sorted(files))).hexdigest()


def load(service, folder, *options):
    address = f"http://127.0.0.1:{service.port}"
    subprocess.run([sys.executable, os.path.join(ROOT, "bench", "load"), address, service.admin_key, str(folder), *options], check=True)


def test_a_seed_gives_the_same_bytes_everywhere(tmp_path):
    seven = generate(tmp_path / "a", "--seed", "7")
    assert seven == generate(tmp_path / "b", "--seed", "7")
    assert digest(seven) == "2d1350c658d6e13f990c8647e758c0c71a500d3cc290e53d67fd44d273539065"
    eight = generate(tmp_path / "c", "--seed", "8")
    assert all(seven[name] != eight[name] for name in seven if name != "plan.json")


@pytest.fixture
def made(new_service):
    """What a database holds after it was loaded, by the name of the facts; and how many figures were corrected on the way."""

    def make(folder, *options):
        generate(folder, *options)
        service = new_service()
        load(service, folder)
        facts = {name: service.database.sql(query) for name, query in FACTS.items()}
        return facts, service.database.sql("select count(*) from store_day_history")[0][0]

    return make


def test_by_night_and_by_month_the_same_facts_arrive(made, tmp_path):
    by_month, corrected = made(tmp_path / "months")
    by_night, corrected_by_night = made(tmp_path / "nights", "--nights-from", "2023-08-15")
    for name in FACTS:
        assert by_night[name] == by_month[name], name
    assert len(by_month["day facts"]) == 60 * (30 + 31 + 31)
    assert {life[1:3] + life[4:] for life in by_month["lives"]} == {("trial", 2000000, "open")}
    assert 0 < corrected < corrected_by_night

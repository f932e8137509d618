"""What the service gathers for a decision is what the rules ask for: random histories, loaded as the feed brings them, must give
the document that the stateless evaluation gives from every fact as it was delivered, by day."""

import copy
import json
import os
import random

import pytest

from support.service import ROOT
from support.world import World, days

START, END = "2023-04-01", "2023-06-30"
SPAN = list(days("2022-09-01", "2023-08-15"))


@pytest.fixture(scope="module")
def policies():
    """The example, and a version of it that takes effect within the trial and reads everything the other way (preamble)."""
    with open(os.path.join(ROOT, "examples", "policy-antiques-art.json"), encoding="utf-8") as f:
        first = json.load(f)
    second = copy.deepcopy(first)
    second.update(version="2023-06-01", effective_from="2023-06-01")
    second["counting"] = {"repeat_window_months": 3, "repeat_scope": "any", "store_statuses": ["normal", "suspended"],
                          "require_bound_at_evaluation": False, "gmv_window": "since_binding"}
    for version in (first, second):
        version["trial"]["requires"] = {"all": [{"measure": "new_stores", "at_least": 2, "clause": "3.2"},
                                                {"measure": "new_store_gmv_fen", "at_least": 90000, "clause": "3.2"},
                                                {"measure": "first_month_orders", "at_least": 100, "clause": "3.2"}]}
    first.update(version="2023-04-01", effective_from="2023-04-01")
    return [first, second]


def random_bindings(rng):
    """Up to three spans that do not overlap; some of no length, some still open, some from or to a 1st."""
    spans, at = [], rng.randrange(0, 120)
    for _ in range(rng.choice([1, 1, 2, 3])):
        first = at + rng.randrange(0, 90)
        last = first + rng.choice([0, 1, 20, 45, 100, 150])
        if rng.random() < 0.3:
            first = next(i for i in range(first, len(SPAN)) if SPAN[i].endswith("-01") or i == len(SPAN) - 1)
            last = max(first, last)
        if last >= len(SPAN) - 1:
            spans.append((SPAN[min(first, len(SPAN) - 1)], None))
            break
        spans.append((SPAN[first], SPAN[last]))
        at = last + rng.choice([0, 1, 30])
        if at >= len(SPAN) - 100:
            break
    return spans


def random_versions(rng, world, store_id):
    versions = {}
    for valid_from in rng.sample(["2020-01-01", "2023-04-20", "2023-06-30", "2023-07-01"], rng.choice([1, 1, 2, 3])):
        versions[valid_from] = world.store(
            store_id, valid_from=valid_from, registered_region=rng.choice(["420106", "440106"]),
            ship_from_regions=rng.choice([["420100"], ["440100", "420100"], ["440100"]]),
            industry=rng.choice(["antiques_art", "antiques_art", "books"]), category=rng.choice(["antiques_art", "books"]),
            status=rng.choice(["normal", "normal", "normal", "suspended", "closed"]))
    return versions


class History:
    def __init__(self, rng, world, providers):
        self.stores = {f"h-{i:03d}": random_versions(rng, world, f"h-{i:03d}") for i in range(40)}
        self.bindings = {(p["provider_id"], s): random_bindings(rng) for p in providers for s in rng.sample(sorted(self.stores), 14)}
        self.days = {s: {d: (rng.randrange(0, 30), rng.randrange(0, 4000)) for d in SPAN if "2023-03-01" <= d and rng.random() < 0.5}
                     for s in self.stores}
        self.passes = {p["provider_id"]: [(f"p-{i}", rng.choice(SPAN)) for i in range(rng.randrange(4))] for p in providers}

    def load(self, world, providers, rng):
        """As one feed, in an order of its own; a part of the days later, corrected."""
        code = {p["provider_id"]: p["credit_code"] for p in providers}
        world.load("stores", [v for versions in self.stores.values() for v in versions.values()])
        bindings = [world.binding(code[p], s, *span) for (p, s), spans in self.bindings.items() for span in spans]
        world.load("bindings", rng.sample(bindings, len(bindings)))
        rows = [{"store_id": s, "day": d, "orders": o, "gmv_fen": g} for s, facts in self.days.items() for d, (o, g) in facts.items()]
        rng.shuffle(rows)
        wrong = [{**row, "orders": row["orders"] + 7} for row in rows[: len(rows) // 10]]
        world.load("store_days", wrong + rows[len(rows) // 10: len(rows) // 2], complete_through="2023-04-15")
        world.load("store_days", rows[len(rows) // 2:], complete_through="2023-05-31")
        world.load("store_days", rows[: len(rows) // 10], complete_through="2023-07-31")
        world.load("exam_passes", [{"credit_code": code[p], "person_id": n, "passed_on": d} for p, l in self.passes.items() for n, d in l])

    def question(self, provider_id, policies, as_of):
        """The whole of it, for the stateless evaluation."""
        e = min(as_of, END)
        bound = sorted(s for (p, s), spans in self.bindings.items() if p == provider_id and any(
            first <= e and (first >= START or last is None or last > START) for first, last in spans))
        return {"policies": policies, "stage": "trial", "period_start": START, "as_of": as_of,
                "provider": {"region": "420000", "industry": "antiques_art", "main_category": "antiques_art"},
                "exam_passes": [{"person_id": n, "passed_on": d} for n, d in self.passes[provider_id]],
                "stores": [self.store(s, provider_id, e) for s in bound]}

    def store(self, store_id, provider_id, e):
        in_force = [v for day, v in sorted(self.stores[store_id].items()) if day <= e]
        told = ({k: in_force[-1][k] for k in ("registered_region", "ship_from_regions", "industry", "category", "status")}
                if in_force else {"unlisted": True})
        return {"store_id": store_id, **told,
                "bindings": [{"by": "self" if p == provider_id else "other", "bound_on": first, "unbound_on": last}
                             for (p, s), spans in self.bindings.items() if s == store_id for first, last in spans],
                "days": [{"day": d, "orders": o, "gmv_fen": g} for d, (o, g) in self.days[store_id].items()]}


@pytest.mark.parametrize("seed", range(4))
def test_random_histories(new_service, policies, tmp_path, seed):
    rng = random.Random(seed)
    service = new_service()
    for policy in policies:
        path = tmp_path / f"{policy['version']}.json"
        path.write_text(json.dumps(policy), encoding="utf-8")
        service.command("policy", "publish", str(path))
    world = World(service.client())
    world.advance("2023-03-20")
    providers = [world.admit() for _ in range(6)]
    history = History(rng, world, providers)
    history.load(world, providers, rng)

    def judged(provider):
        (period,) = [p for p in world.client.all(f"/v1/providers/{provider['provider_id']}/periods") if p["stage"] == "trial"]
        return period

    refs = [f"antiques-art@{version}" for version in ("2023-04-01", "2023-04-26", "2023-06-01")]  # the example's own is between
    for as_of in ("2023-04-01", "2023-05-17", "2023-05-31", "2023-06-29"):
        world.advance(as_of)
        for provider in providers:
            asked = history.question(provider["provider_id"], refs, as_of)
            expected = world.client.post("/v1/evaluations", asked).json
            for policy in expected["policies"]:
                del policy["stores"]
            assert judged(provider)["policies"] == refs
            assert judged(provider)["progress"] == expected, (seed, as_of, provider["provider_id"])

    world.advance("2023-07-01")
    for provider in providers:
        decision = world.client.get(f"/v1/decisions/{judged(provider)['decision_id']}")
        expected = world.client.post("/v1/evaluations", history.question(provider["provider_id"], refs, END))
        assert {**decision.json["document"], **expected.json} == decision.json["document"]
        assert expected.body[:-1] + b"," in decision.body, "byte for byte"
    assert "WRONG" not in service.command("verify")

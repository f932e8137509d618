"""Corrections of every kind, anywhere around decided periods: none goes unmarked that today's facts give another decision for."""

import json
import random

import pytest

from support.at_once import eventually
from support.short_life import ShortLife


class Late(ShortLife):
    def publish(self, industry, **over):
        """A policy like calligraphy's, of an industry of its own, which is then this world's."""
        policy = {**self.client.get("/v1/policies/calligraphy@1").json, "policy_id": industry, "industry": industry, **over}
        path = self.folder / f"{industry}.json"
        path.write_text(json.dumps(policy))
        self.service.command("policy", "publish", str(path))
        self.industry = industry

    def verify(self):
        out = self.service.command("verify")
        assert "WRONG" not in out, out


@pytest.fixture
def late(new_service, tmp_path):
    service = new_service()
    made = Late(service.client(), service, tmp_path)
    made.folder = tmp_path
    made.advance("2023-03-20")
    return made


@pytest.mark.parametrize("seed", range(3))
def test_no_correction_goes_unmarked(late, seed):
    """Imports of every kind, anywhere around decided periods, under a policy that looks at other providers' bindings and one that does
    not: whatever today's facts give another decision for is marked, and once it was looked at again, nothing else is."""
    pick = random.Random(seed)
    counting = late.client.get("/v1/policies/calligraphy@1").json["counting"]
    late.publish("anyone", counting={**counting, "repeat_scope": "any", "repeat_window_months": 2})
    codes = []
    for industry in ("anyone", "anyone", "calligraphy", "calligraphy"):
        late.industry = industry
        codes.append(late.provider(late.in_trial())["credit_code"])
    stores = [f"random-{i}" for i in range(6)]
    late.load("stores", [late.store(s, industry=pick.choice(["anyone", "calligraphy"]), category="none") for s in stores])
    late.load("bindings", [late.binding(pick.choice(codes), s, f"2023-0{pick.randint(2, 5)}-{pick.randint(1, 28):02}") for s in stores])
    late.complete("2023-06-30")
    late.advance("2023-06-20")
    assert len(late.client.all("/v1/decisions")) >= 8

    def day():
        return f"2023-0{pick.randint(1, 6)}-{pick.randint(1, 28):02}"

    def correct_something():
        kind = pick.choice(["stores", "bindings", "store_days", "exam_passes"])
        rows = []
        for _ in range(pick.randint(1, 3)):
            store, code, first = pick.choice(stores), pick.choice(codes), day()
            bound = late.service.database.sql("select p.credit_code, store_id, bound_on::text from binding join provider p using (provider_id)")
            rows.append({
                "stores": lambda: late.store(store, valid_from=first, industry=pick.choice(["anyone", "calligraphy"]), category="none",
                                             status=pick.choice(["normal", "closed"]), registered_region=pick.choice(["420106", "110000"]),
                                             ship_from_regions=[]),
                "bindings": lambda: late.binding(*(pick.choice(bound) if pick.random() < 0.5 else (code, store, first)), pick.choice([None, day(), day()])),
                "store_days": lambda: {"store_id": store, "day": first, "orders": pick.randint(0, 2), "gmv_fen": pick.randint(0, 2)},
                "exam_passes": lambda: {"credit_code": code, "person_id": f"p{pick.randint(1, 3)}", "passed_on": first},
            }[kind]())
        late.load(kind, rows, mode="per_row")

    for _ in range(4):
        for _ in range(8):
            correct_something()
        late.verify()
    eventually(lambda: late.service.database.sql("select count(*) from decision_review where marks <> reviewed") == [(0,)])
    late.verify()
    assert late.service.database.sql("select count(*) from decision_stale")[0][0] > 20, "else nothing was tried"

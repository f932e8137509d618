"""Shorthand for tests: providers, facts and days, through the API alone."""

import datetime
import itertools
import time

from support.credit_code import credit_code

COLUMNS = {
    "stores": ["store_id", "name", "registered_region", "ship_from_regions", "industry", "category", "status", "valid_from"],
    "bindings": ["credit_code", "store_id", "bound_on", "unbound_on"],
    "store_days": ["store_id", "day", "orders", "gmv_fen"],
    "exam_passes": ["credit_code", "person_id", "passed_on"],
}
_numbers = itertools.count(1)


def new_credit_code():
    """One that no other test of this session uses."""
    return credit_code(next(_numbers))


def csv(kind, rows):
    """Rows are dicts; a missing column is empty, a list is joined with ";"."""

    def cell(value):
        if value is None:
            return ""
        if isinstance(value, (list, tuple)):
            value = ";".join(value)
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text

    lines = [",".join(COLUMNS[kind])] + [",".join(cell(row.get(c)) for c in COLUMNS[kind]) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def days(first, last):
    """Each day from first to last as YYYY-MM-DD, both included."""
    day, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += datetime.timedelta(days=1)


def spread(store_id, first, last, orders, gmv_fen):
    """Rows of store_days that add up to these totals, spread over the span as evenly as whole numbers go."""
    span = list(days(first, last))

    def share(total, i):
        return total * (i + 1) // len(span) - total * i // len(span)

    return [{"store_id": store_id, "day": d, "orders": share(orders, i), "gmv_fen": share(gmv_fen, i)} for i, d in enumerate(span)]


class World:
    """Acts with one client, usually the admin's."""

    def __init__(self, client):
        self.client = client

    def _expect(self, answer, *statuses):
        assert answer.status in statuses, answer
        return answer.json if answer.body else None

    # ---- time ----

    def advance(self, day):
        return self._expect(self.client.post("/v1/test-clock", {"today": day}), 200)

    # ---- providers ----

    def provider_body(self, **over):
        body = {"credit_code": new_credit_code(), "name": "湖北古玩服务商", "service_categories": ["practical_assistance"],
                "region": "420000", "industry": "antiques_art", "main_category": "antiques_art"}
        body.update(over)
        return {k: v for k, v in body.items() if v is not ...}

    def register(self, **over):
        return self._expect(self.client.post("/v1/providers", self.provider_body(**over)), 201)

    def provider(self, provider_id):
        return self._expect(self.client.get(f"/v1/providers/{provider_id}"), 200)

    def qualification(self, provider_id):
        return self._expect(self.client.get(f"/v1/providers/{provider_id}/qualification"), 200)

    def documents(self):
        return [{"kind": "business_license", "name": "营业执照.pdf", "sha256": "ab" * 32, "uri": "https://files.example/license.pdf"}]

    def apply(self, provider_id, **over):
        body = {"documents": self.documents(), **over}
        return self._expect(self.client.post(f"/v1/providers/{provider_id}/applications", body), 201)

    def approve(self, application_id):
        return self._expect(self.client.post(f"/v1/applications/{application_id}/approve", {}), 200)

    def pay(self, provider_id, amount_fen=2000000, **more):
        body = {"kind": "payment", "amount_fen": amount_fen, "external_reference": f"bank-{next(_numbers)}", **more}
        return self._expect(self.client.post(f"/v1/providers/{provider_id}/deposit/entries", body), 201)

    def admit(self, **over):
        """Registered, applied, approved and paid today: its trial begins on the next 1st (or today, if it is one)."""
        provider = self.register(**over)
        application = self.apply(provider["provider_id"])
        self.approve(application["application_id"])
        self.pay(provider["provider_id"])
        return provider

    # ---- what runs in the background ----

    def finished(self, path):
        """The run or simulation there, once it is over."""
        give_up = time.monotonic() + 60
        while True:
            run = self._expect(self.client.get(path), 200)
            if run["status"] in ("done", "failed") or time.monotonic() > give_up:
                return run
            time.sleep(0.05)

    # ---- facts ----

    def load(self, kind, rows, complete_through=None, mode=None, ok=True):
        """An import of rows (dicts) as CSV; its answer."""
        query = {"kind": kind, **({"complete_through": complete_through} if complete_through else {}), **({"mode": mode} if mode else {})}
        answer = self.client.post("/v1/imports", body=csv(kind, rows), query=query, headers={"Content-Type": "text/csv"})
        assert not ok or answer.status in (200, 201), answer
        return answer.json

    def store(self, store_id, **over):
        """A row of stores that counts for provider_body()'s provider."""
        row = {"store_id": store_id, "name": f"店铺 {store_id}", "registered_region": "420106", "ship_from_regions": ["420100"],
               "industry": "antiques_art", "category": "antiques_art", "status": "normal", "valid_from": "2020-01-01"}
        row.update(over)
        return row

    def binding(self, credit_code_, store_id, bound_on, unbound_on=None):
        return {"credit_code": credit_code_, "store_id": store_id, "bound_on": bound_on, "unbound_on": unbound_on}

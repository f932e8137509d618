"""The cool-down after a revocation (5), day by day, and the waivers that lift it: two people, a last day, a trace in what they touched."""

import datetime

import pytest

from support.at_once import at_once
from support.short_life import ShortLife

REVOKED_ON = "2023-06-01"
BACK = "2023-11-28"  # 180 days later


def day(n):
    """The n-th day of the cool-down: day 0 is that of the revocation."""
    return (datetime.date.fromisoformat(REVOKED_ON) + datetime.timedelta(days=n)).isoformat()


class Cooling(ShortLife):
    """Two admins, and a provider that was revoked on 2023-06-01."""

    def begin(self):
        self.advance("2023-03-20")
        self.complete("2023-12-31")
        self.id = self.in_trial()
        self.other = self.in_trial()
        self.advance(REVOKED_ON)
        assert self.provider(self.id)["status"] == "revoked"
        return self

    def waivers(self, provider_id=None):
        return f"/v1/providers/{provider_id or self.id}/waivers"

    def propose(self, expires_on, ok=True, **over):
        answer = self.client.post(self.waivers(), {"kind": "cooldown", "reason": "违规认定已撤销", "expires_on": expires_on, **over})
        assert not ok or answer.status == 201, answer
        return answer.json if ok else answer

    def confirm(self, waiver, client=None, **more):
        return (client or self.second).post(f"/v1/waivers/{waiver['waiver_id']}/confirm", **more)

    def revoke(self, waiver, client=None, reason="a mistake"):
        return (client or self.client).post(f"/v1/waivers/{waiver['waiver_id']}/revoke", {"reason": reason})

    def waiver(self, waiver):
        return self.client.get(f"/v1/waivers/{waiver['waiver_id']}").json

    def active(self, expires_on):
        waiver = self.propose(expires_on)
        assert self.confirm(waiver).status == 200
        return waiver


@pytest.fixture
def cooling(new_service, tmp_path):
    service = new_service()
    made = Cooling(service.client(), service, tmp_path)
    made.second = service.client(service.new_key("admin"))
    return made.begin()


# ---- the cool-down itself ----


def test_day_179_180_181(cooling):
    now = cooling.provider(cooling.id)
    assert (now["revoked_on"], now["reapply_from"], now["reapply_cause"]) == (REVOKED_ON, BACK, "revoked")
    assert day(180) == BACK
    for n in (0, 179):
        cooling.advance(day(n))
        refused = cooling.try_apply(cooling.id)
        assert (refused.status, refused.code) == (409, "admission_refused")
        assert cooling.cooldown(refused)["met"] is False and BACK in cooling.cooldown(refused)["detail"]
        said = cooling.qualification(cooling.id)
        assert (said["reapply_from"], said["reapply_cause"], said["waiver"]) == (BACK, "revoked", None)
        assert ("cooling_down", "5") in [(r["code"], r["clause"]) for r in said["reasons"]]
        assert ("application_possible", BACK) in [(e["code"], e["on"]) for e in said["next_events"]]
    cooling.advance(day(180))
    assert "cooling_down" not in [r["code"] for r in cooling.qualification(cooling.id)["reasons"]]
    made = cooling.try_apply(cooling.id)
    assert made.status == 201 and cooling.cooldown(made)["met"] and "waiver_id" not in cooling.cooldown(made)
    cooling.advance(day(181))
    assert cooling.try_apply(cooling.other).status == 201


def test_the_same_company_cannot_register_anew(cooling):
    """The cool-down is the credit code's: there is one provider to it, for good."""
    code = cooling.provider(cooling.id)["credit_code"]
    again = cooling.client.post("/v1/providers", cooling.provider_body(credit_code=code, name="another name"))
    assert (again.status, again.code) == (409, "credit_code_taken")
    assert cooling.client.post(f"/v1/providers/{cooling.id}/exit").status == 200
    again = cooling.client.post("/v1/providers", cooling.provider_body(credit_code=code.lower()))
    assert again.status in (409, 422)


def test_approval_asks_again_whether_it_is_over(cooling):
    """Submitted under a waiver that has expired when the application is to be approved."""
    waiver = cooling.active(day(10))
    application = cooling.try_apply(cooling.id).json
    cooling.advance(day(11))
    refused = cooling.client.post(f"/v1/applications/{application['application_id']}/approve")
    assert (refused.status, refused.code) == (409, "admission_refused")
    assert cooling.cooldown(refused)["met"] is False
    assert cooling.waiver(waiver)["status"] == "expired"
    cooling.advance(BACK)
    assert cooling.client.post(f"/v1/applications/{application['application_id']}/approve").status == 200


# ---- a waiver's life ----


def test_a_waiver_from_proposal_to_its_last_day(cooling):
    proposed = cooling.propose(day(20))
    assert (proposed["kind"], proposed["status"], proposed["expires_on"]) == ("cooldown", "proposed", day(20))
    assert (proposed["reapply_from"], proposed["reapply_cause"], proposed["proposed_on"]) == (BACK, "revoked", day(0))
    assert proposed["proposed_by"].startswith("key_") and proposed["confirmed_by"] is None
    assert cooling.try_apply(cooling.id).code == "admission_refused", "a proposal lifts nothing"

    cooling.advance(day(5))
    confirmed = cooling.confirm(proposed, json={"note": "seen"})
    assert confirmed.status == 200
    assert (confirmed.json["status"], confirmed.json["confirmed_on"], confirmed.json["note"]) == ("active", day(5), "seen")
    assert confirmed.json["confirmed_by"] != proposed["proposed_by"]
    assert {k: v for k, v in confirmed.json.items() if k in ("reason", "expires_on", "proposed_by", "reapply_from")} == {
        k: v for k, v in proposed.items() if k in ("reason", "expires_on", "proposed_by", "reapply_from")}
    said = cooling.qualification(cooling.id)
    assert said["waiver"] == {"waiver_id": proposed["waiver_id"], "expires_on": day(20)}
    assert (said["reapply_from"], said["reapply_cause"]) == (BACK, "revoked"), "the cool-down and its cause stay visible"
    assert [r["code"] for r in said["reasons"]] == ["certification_cancelled", "cooldown_waived"]
    assert proposed["waiver_id"] in said["reasons"][1]["message"]
    assert "application_needed" in [r["code"] for r in said["requirements"]["currently_due"]]
    assert [(e["code"], e["on"]) for e in said["next_events"]] == [("waiver_expires", day(21))]

    cooling.advance(day(20))
    assert cooling.try_apply(cooling.id, query={"dry_run": "true"}).status == 201, "its last day"
    cooling.advance(day(21))
    assert cooling.try_apply(cooling.id).code == "admission_refused"
    assert cooling.waiver(proposed)["status"] == "expired"
    assert cooling.qualification(cooling.id)["waiver"] is None
    assert (cooling.revoke(proposed).status, cooling.revoke(proposed).code) == (409, "wrong_state")


def test_what_it_touched_says_so(cooling):
    cooling.advance(day(1))
    waiver = cooling.active(day(20))
    made = cooling.try_apply(cooling.id)
    assert made.status == 201
    check = cooling.cooldown(made)
    assert check["met"] is True and check["waiver_id"] == waiver["waiver_id"]
    assert waiver["waiver_id"] in check["detail"] and BACK in check["detail"] and day(20) in check["detail"]
    assert [c for c in made.json["checks"] if "waiver_id" in c] == [check]
    approved = cooling.client.post(f"/v1/applications/{made.json['application_id']}/approve")
    assert cooling.cooldown(approved)["waiver_id"] == waiver["waiver_id"]
    # It stays so for good, whatever becomes of the waiver.
    assert cooling.revoke(waiver).status == 200
    read = cooling.client.get(f"/v1/applications/{made.json['application_id']}")
    assert cooling.cooldown(read)["waiver_id"] == waiver["waiver_id"]
    # And the cool-down was lifted for that application, not ended.
    assert cooling.provider(cooling.id)["reapply_from"] == BACK
    assert cooling.client.post(f"/v1/applications/{made.json['application_id']}/withdraw").status == 200
    assert cooling.try_apply(cooling.id).code == "admission_refused"


def test_a_failed_trial_ends_no_cool_down(cooling):
    """Revoked, waived, admitted in another industry, and the trial there fails within the 180 days."""
    where = f"/v1/providers/{cooling.id}"
    other = {"industry": "antiques_art", "main_category": "antiques_art"}
    assert cooling.client.patch(where, other, headers={"If-Match": cooling.client.get(where).etag}).status == 200
    cooling.active(day(0))
    cooling.approve(cooling.apply(cooling.id)["application_id"])
    assert cooling.provider(cooling.id)["status"] == "trial", "the deposit is there, and today is a 1st"
    cooling.advance("2023-09-01")
    now = cooling.provider(cooling.id)
    assert (now["status"], now["reapply_from"], now["reapply_cause"]) == ("trial_failed", BACK, "revoked")
    assert cooling.try_apply(cooling.id).code == "admission_refused"
    cooling.advance(BACK)
    assert cooling.try_apply(cooling.id).status == 201


def test_a_waiver_is_for_one_cool_down(cooling):
    waiver, pending = cooling.active("2024-12-31"), cooling.propose("2024-12-31")
    cooling.approve(cooling.apply(cooling.id)["application_id"])
    cooling.advance("2023-07-01")
    assert cooling.provider(cooling.id)["status"] == "certified", "the exam pass of before still counts"
    cooling.advance("2023-08-01")
    now = cooling.provider(cooling.id)
    assert (now["status"], now["revoked_on"], now["reapply_from"]) == ("revoked", "2023-08-01", "2024-01-28")
    assert cooling.try_apply(cooling.id).code == "admission_refused", "the waiver was for the earlier cool-down"
    assert cooling.qualification(cooling.id)["waiver"] is None
    assert cooling.waiver(waiver)["reapply_from"] == BACK
    assert cooling.confirm(pending).code == "no_cooldown"


def test_the_waiver_that_holds_longest_counts(cooling):
    short, long = cooling.active(day(10)), cooling.active(day(30))
    assert cooling.qualification(cooling.id)["waiver"]["waiver_id"] == long["waiver_id"]
    assert cooling.revoke(long).status == 200
    assert cooling.qualification(cooling.id)["waiver"]["waiver_id"] == short["waiver_id"]


def test_revoked(cooling):
    waiver = cooling.active(day(20))
    revoked = cooling.revoke(waiver, cooling.second, "the finding stands")
    assert (revoked.json["status"], revoked.json["revoked_on"], revoked.json["revoke_reason"]) == ("revoked", day(0), "the finding stands")
    assert revoked.json["confirmed_by"] is not None, "what it was stays visible"
    assert cooling.try_apply(cooling.id).code == "admission_refused"
    assert (cooling.revoke(waiver).code, cooling.confirm(waiver).code) == ("wrong_state", "wrong_state")
    proposed = cooling.propose(day(20))
    assert cooling.revoke(proposed).json["confirmed_by"] is None
    assert cooling.confirm(proposed).code == "wrong_state"
    cooling.advance(day(25))
    assert cooling.waiver(proposed)["status"] == "revoked", "not expired"


# ---- two people, and dates ----


def test_not_by_the_same_person(cooling):
    waiver = cooling.propose(day(20))
    refused = cooling.confirm(waiver, cooling.client)
    assert (refused.status, refused.code) == (409, "same_actor")
    assert cooling.waiver(waiver)["status"] == "proposed"
    assert cooling.confirm(waiver).status == 200
    assert cooling.confirm(waiver, cooling.client).code == "wrong_state"


def test_not_by_a_rotated_key_of_the_same_person(cooling):
    second_id = next(k["key_id"] for k in cooling.client.all("/v1/keys") if k["prefix"] == cooling.second.key[: len(k["prefix"])])
    waiver = cooling.second.post(cooling.waivers(), {"kind": "cooldown", "reason": "x", "expires_on": day(20)}).json
    rotated = cooling.client.post(f"/v1/keys/{second_id}/rotate")
    assert rotated.status == 201, rotated
    successor = cooling.client.with_key(rotated.json["key"])
    assert cooling.confirm(waiver, successor).code == "same_actor"
    assert cooling.confirm(waiver, cooling.client).status == 200


@pytest.mark.parametrize("at, status", [(9, 200), (10, 200), (11, 409)])
def test_confirmed_before_on_and_after_its_last_day(cooling, at, status):
    waiver = cooling.propose(day(10))
    cooling.advance(day(at))
    answer = cooling.confirm(waiver)
    assert answer.status == status
    assert (answer.code == "wrong_state") == (status == 409)
    assert cooling.waiver(waiver)["status"] == ("active" if status == 200 else "expired")


def test_its_last_day_may_be_today_and_not_before(cooling):
    cooling.advance(day(3))
    assert cooling.propose(day(3))["status"] == "proposed"
    refused = cooling.propose(day(2), ok=False)
    assert (refused.status, refused.faults) == (422, {"/expires_on": "must_be_before"})


def test_no_cool_down_to_lift(cooling):
    fresh = cooling.register()["provider_id"]
    body = {"kind": "cooldown", "reason": "x", "expires_on": "2024-12-31"}
    assert (cooling.client.post(cooling.waivers(fresh), body).code) == "no_cooldown"
    cooling.advance(day(179))
    waiver = cooling.propose("2024-12-31")
    cooling.advance(BACK)
    assert (cooling.confirm(waiver).status, cooling.confirm(waiver).code) == (409, "no_cooldown")
    assert cooling.client.post(cooling.waivers(), body).code == "no_cooldown"


@pytest.mark.tsan
def test_two_confirmations_at_once(cooling):
    waiver = cooling.propose(day(20))
    keys = [cooling.service.new_key("admin") for _ in range(6)]
    answers = at_once(6, lambda i: cooling.confirm(waiver, cooling.service.client(keys[i])))
    assert sorted(a.status for a in answers) == [200] + [409] * 5
    assert {a.code for a in answers if a.status == 409} == {"wrong_state"}
    won = next(a for a in answers if a.status == 200)
    assert cooling.waiver(waiver)["confirmed_by"] == won.json["confirmed_by"]
    events = cooling.service.database.sql(f"select type from event where subject = '{waiver['waiver_id']}' order by event_id")
    assert [e[0] for e in events] == ["waiver.proposed", "waiver.confirmed"]


def test_confirmed_and_revoked_at_once(cooling):
    """Whatever comes first, in the end it is revoked or refused to be, and never both in force and taken back."""
    waiver = cooling.propose(day(20))
    one, two = at_once(2, lambda i: cooling.confirm(waiver) if i == 0 else cooling.revoke(waiver))
    assert two.status == 200 and one.status in (200, 409)
    assert cooling.waiver(waiver)["status"] == "revoked"
    assert cooling.try_apply(cooling.id).code == "admission_refused"


def test_revoked_while_somebody_applies(cooling):
    """An application that was accepted names a waiver that was in force; else it was refused. Many rounds, many interleavings."""
    for _ in range(8):
        waiver = cooling.active(day(20))
        applied, revoked = at_once(2, lambda i: cooling.try_apply(cooling.id) if i == 0 else cooling.revoke(waiver, cooling.second))
        assert revoked.status == 200
        if applied.status == 201:
            assert cooling.cooldown(applied)["waiver_id"] == waiver["waiver_id"]
            rows = cooling.service.database.sql(
                "select (select min(audit_id) from audit where action = 'application.submitted' and subject = '{}')"
                " < (select audit_id from audit where action = 'waiver.revoked' and subject = '{}')".format(
                    applied.json["application_id"], waiver["waiver_id"]))
            assert rows == [(True,)]
            assert cooling.client.post(f"/v1/applications/{applied.json['application_id']}/withdraw").status == 200
        else:
            assert applied.code == "admission_refused"


# ---- asking ----


@pytest.mark.parametrize("body, faults", [
    ({}, {"/kind": "missing", "/reason": "missing", "/expires_on": "missing"}),
    ({"kind": "deposit", "reason": "", "expires_on": "2023-02-30"}, {"/kind": "invalid_value", "/reason": "too_short", "/expires_on": "invalid_day"}),
    ({"kind": "cooldown", "reason": "x" * 1001, "expires_on": "2023-12-31", "status": "active"}, {"/reason": "too_long", "/status": "unknown_member"}),
])  # fmt: skip
def test_strict(client, world, body, faults):
    answer = client.post(f"/v1/providers/{world.register()['provider_id']}/waivers", body)
    assert (answer.status, answer.faults) == (422, faults)


def test_of_nobody(client):
    body = {"kind": "cooldown", "reason": "x", "expires_on": "2199-12-31"}
    assert client.post("/v1/providers/prv_0/waivers", body).status == 404
    assert client.get("/v1/providers/prv_0/waivers").status == 404
    assert client.get("/v1/waivers/wvr_0").status == 404
    assert client.post("/v1/waivers/wvr_0/confirm").status == 404
    assert client.post("/v1/waivers/wvr_0/revoke", {"reason": "x"}).status == 404


def test_reading(cooling):
    first, second = cooling.active(day(10)), cooling.propose(day(30))
    assert [w["waiver_id"] for w in cooling.client.all(cooling.waivers(), limit=1)] == [second["waiver_id"], first["waiver_id"]]
    for status, which in (("active", [first]), ("proposed", [second]), ("revoked", []), ("expired", [])):
        assert [w["waiver_id"] for w in cooling.client.all(cooling.waivers(), {"status": status})] == [w["waiver_id"] for w in which]
    where = f"/v1/waivers/{first['waiver_id']}"
    etag = cooling.client.get(where).etag
    assert cooling.client.get(where, headers={"If-None-Match": etag}).status == 304
    cooling.advance(day(11))
    expired = cooling.client.get(where, headers={"If-None-Match": etag})
    assert (expired.status, expired.json["status"]) == (200, "expired"), "its status changes with the day alone"

    assert cooling.second.get("/v1/waivers?limit=1", check=False).status == 404
    own = cooling.service.client(cooling.service.new_key("partner", cooling.id))
    foreign = cooling.service.client(cooling.service.new_key("partner", cooling.other))
    assert own.get(where).status == 200 and own.get(cooling.waivers()).status == 200
    assert foreign.get(where).status == 404 and foreign.get(cooling.waivers()).status == 404
    for role in ("operator", "partner", "feed", "auditor"):
        caller = cooling.service.client(cooling.service.new_key(role))
        assert caller.post(cooling.waivers(), {"kind": "cooldown", "reason": "x", "expires_on": day(30)}).status == 403
        assert cooling.confirm(second, caller).status == 403
        assert cooling.revoke(second, caller).status == 403


def test_audited_and_never_rewritten(cooling):
    waiver = cooling.propose(day(20))
    dry = cooling.confirm(waiver, query={"dry_run": "true"})
    assert dry.json["status"] == "active" and cooling.waiver(waiver)["status"] == "proposed"
    cooling.confirm(waiver)
    sql = cooling.service.database.sql
    rows = sql(f"select action, before->>'status', after->>'status', actor_id from audit where subject = '{waiver['waiver_id']}' order by audit_id")
    assert [r[:3] for r in rows] == [("waiver.proposed", None, "proposed"), ("waiver.confirmed", "proposed", "active")]
    assert rows[0][3] != rows[1][3]
    for change in ("expires_on = '2100-01-01'", "reason = 'another'", "status = 'proposed', confirmed_by = null, confirmed_on = null",
                   "confirmed_by = proposed_by", "reapply_from = '2100-01-01'"):
        with pytest.raises(Exception, match="never changes|waiver_two_people"):
            sql(f"update waiver set {change} where waiver_id = '{waiver['waiver_id']}'")
    with pytest.raises(Exception, match="never changes"):
        sql("delete from waiver")

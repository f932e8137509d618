"""Providers whose trial and regular periods last a month and ask for next to nothing, so that a test gets them certified or
revoked in a few steps."""

import json

from support.world import World


class ShortLife(World):
    """A sandbox with a policy of its own: the trial asks for one exam pass, a regular period for one new store."""

    def __init__(self, client, service, folder, industry="calligraphy"):
        super().__init__(client)
        self.service = service
        self.industry = industry
        policy = self._expect(client.get("/v1/policies/antiques-art@2023-04-26"), 200)
        policy.update(policy_id=industry, version="1", effective_from="2023-01-01", industry=industry)
        policy["trial"] = {"months": 1, "requires": {"measure": "exam_passes", "at_least": 1, "clause": "3.2"}}
        policy["regular"] = {"months": 1, "requires": {"measure": "new_stores", "at_least": 1, "clause": "3.3"}}
        path = folder / f"{industry}.json"
        path.write_text(json.dumps(policy))
        service.command("policy", "publish", str(path))

    def complete(self, through):
        """The platform's figures are complete: there are none."""
        self.load("store_days", [], complete_through=through)

    def in_trial(self, **over):
        """Admitted today, of a company that passed the exam: its trial begins on the next 1st."""
        provider = self.admit(industry=self.industry, main_category=self.industry, **over)
        self.load("exam_passes", [{"credit_code": provider["credit_code"], "person_id": "p1", "passed_on": "2023-03-01"}])
        return provider["provider_id"]

    def periods(self, provider_id):
        return self.client.all(f"/v1/providers/{provider_id}/periods")

    def checks(self, answer):
        return {c["code"]: c for c in answer.json["checks"]}

    def cooldown(self, answer):
        return self.checks(answer)["cooldown"]

    def try_apply(self, provider_id, client=None, **more):
        return (client or self.client).post(f"/v1/providers/{provider_id}/applications", {"documents": self.documents()}, **more)

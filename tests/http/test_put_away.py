"""Days of a month of figures that was put away (assayd partitions): a bad row like another."""

from support.world import World, spread


def test_days_of_a_month_that_was_put_away(new_service):
    service = new_service()
    world = World(service.client())
    world.advance("2026-05-20")
    world.load("stores", [world.store("s-1")])
    world.load("store_days", spread("s-1", "2022-11-01", "2023-02-28", 120, 12000), complete_through="2026-04-30")
    service.command("partitions", "--detach-before", "2023-01")
    late = [{"store_id": "s-1", "day": "2022-12-05", "orders": 2, "gmv_fen": 2}]
    refused = world.load("store_days", late, ok=False)
    assert [e["code"] for e in refused["errors"]] == ["day_put_away"]
    assert world.load("store_days", late, mode="per_row")["rows"]["rejected"] == 1

#include "model/store/checks.h"

#include "model/rules/lifecycle.h"
#include "model/store/decisions.h"

#include <stdlib.h>
#include <string.h>

enum { DECISIONS_A_CHUNK = 50, WHAT_MAX = 200 };

static void wrong(struct check_report *r, const char *what, const char *why)
{
	char line[WHAT_MAX];
	snprintf(line, sizeof line, "%s: %s", what, why);
	if (r->wrong++ < CHECK_LINES_MAX)
		r->found(r->arg, line);
}

/* ---- decisions ---- */

static const struct statement CHECK_DECISIONS = {
        .name = "check_decisions",
        .sql = "select decision_id, outcome, coalesce(evidence, document), document, sha256 from decision where decision_id > $1 order by decision_id"
               " limit $2::integer",
        .params = 2,
};

static void check_decision(struct check_report *r, const PGresult *res, int row)
{
	struct replay replay;
	const char *id = PQgetvalue(res, row, 0);
	r->looked_at++;
	if (!replay_decision(PQgetvalue(res, row, 2), (size_t)PQgetlength(res, row, 2), PQgetvalue(res, row, 3), &replay))
		wrong(r, id, "it cannot be evaluated any more");
	else if (!replay.identical)
		wrong(r, id, "it evaluates to another document");
	else if (strcmp(replay.sha256, PQgetvalue(res, row, 4)) != 0)
		wrong(r, id, "its sha256 is not its document's");
	else if (strcmp(replay.met ? "met" : "not_met", PQgetvalue(res, row, 1)) != 0)
		wrong(r, id, "its outcome is not its document's");
	replay_free(&replay);
}

enum db_status check_decisions(struct db *db, struct check_report *r)
{
	char after[64] = "", limit[12];
	int rows;
	snprintf(limit, sizeof limit, "%d", DECISIONS_A_CHUNK);
	do {
		PGresult *res = NULL;
		enum db_status status = db_run(db, &CHECK_DECISIONS, (const char *const[]){after, limit}, &res);
		if (status != DB_OK)
			return status;
		rows = PQntuples(res);
		for (int row = 0; row < rows; row++)
			check_decision(r, res, row);
		if (rows)
			snprintf(after, sizeof after, "%s", PQgetvalue(res, rows - 1, 0));
		PQclear(res);
	} while (rows == DECISIONS_A_CHUNK);
	return DB_OK;
}

/* ---- what one statement tells: how many were looked at in its first row, then what is wrong with which ---- */

static enum db_status check_by_sql(struct db *db, const struct statement *st, struct check_report *r)
{
	PGresult *res = NULL;
	enum db_status status = db_run(db, st, NULL, &res);
	if (status == DB_OK && PQntuples(res))
		r->looked_at += strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	for (int row = 0; status == DB_OK && row < PQntuples(res); row++)
		if (!PQgetisnull(res, row, 1))
			wrong(r, PQgetvalue(res, row, 1), PQgetvalue(res, row, 2));
	PQclear(res);
	return status;
}

enum db_status check_policies(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_policies",
	        .sql = "select (select count(*) from policy), p.policy_id || '@' || p.version, 'its sha256 is not its document''s'"
	               " from (select) one left join policy p on p.sha256 <> encode(sha256(convert_to(p.document, 'UTF8')), 'hex')",
	};
	return check_by_sql(db, &st, r);
}

enum db_status check_ledger(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_ledger",
	        .sql = "select (select count(*) from ledger_entry), x.entry_id, x.why from (select) one left join ("
	               "  select entry_id, case"
	               "    when available_change_fen + held_change_fen + platform_change_fen <> 0 then 'its postings do not add up to zero'"
	               "    when seq <> row_number() over w then 'an entry before it is missing'"
	               "    when held_fen <> sum(held_change_fen) over w then 'what was held after it is not what the entries come to'"
	               "    when balance_fen <> sum(available_change_fen + held_change_fen) over w"
	               "     then 'the balance after it is not what the entries come to'"
	               "    when held_fen < 0 or balance_fen < held_fen then 'a balance after it is negative' end as why"
	               "  from ledger_entry window w as (partition by provider_id order by seq)) x on x.why is not null",
	};
	return check_by_sql(db, &st, r);
}

enum db_status check_deposits(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_deposits",
	        .sql = "select (select count(*) from provider), x.provider_id, x.why from (select) one left join ("
	               "  select p.provider_id, case"
	               "    when (p.balance_fen, p.held_fen, p.ledger_seq) <>"
	               "     (coalesce(e.balance, 0), coalesce(e.held, 0), coalesce(e.entries, 0)) then 'its balance is not the sum of its entries'"
	               "    when p.held_fen <> coalesce(f.held, 0) then 'what is held is not what its running refunds ask for'"
	               "    when (p.obligation, p.required_fen) is distinct from (o.policy, o.required_fen)"
	               "     then 'what it owes is not its newest obligation' end as why"
	               "  from provider p"
	               "  full join (select provider_id, sum(available_change_fen + held_change_fen) as balance, sum(held_change_fen) as held,"
	               "    count(*) as entries from ledger_entry group by provider_id) e using (provider_id)"
	               "  left join (select provider_id, sum(amount_fen) as held from refund where status in ('requested', 'approved')"
	               "    group by provider_id) f using (provider_id)"
	               "  left join (select distinct on (provider_id) provider_id, policy, required_fen from deposit_obligation"
	               "    order by provider_id, seq desc) o using (provider_id)) x on x.why is not null",
	};
	return check_by_sql(db, &st, r);
}

enum db_status check_refunds(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_refunds",
	        .sql = "select (select count(*) from refund), x.refund_id, x.why from (select) one left join ("
	               "  select coalesce(r.refund_id, e.refund_id) as refund_id, case"
	               "    when r.refund_id is null then 'entries name it, and there is no such refund'"
	               "    when coalesce(e.held, 0) <> case when r.status in ('requested', 'approved') then r.amount_fen else 0 end"
	               "     then 'its entries hold something else than it says'"
	               "    when coalesce(e.paid, 0) <> case r.status when 'settled' then r.amount_fen else 0 end"
	               "     then 'its entries pay something else than it says'"
	               "    when r.approved_by = r.requested_by then 'one person asked for it and approved it' end as why"
	               "  from refund r full join (select refund_id, sum(held_change_fen) as held, -sum(balance_change) as paid from"
	               "    (select refund_id, held_change_fen, available_change_fen + held_change_fen as balance_change from ledger_entry"
	               "     where refund_id is not null) m group by refund_id) e using (refund_id)) x on x.why is not null",
	};
	return check_by_sql(db, &st, r);
}

enum db_status check_deductions(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_deductions",
	        .sql = "select (select count(*) from deduction), x.entry_id, x.why from (select) one left join ("
	               "  select coalesce(d.entry_id, e.entry_id) as entry_id, case"
	               "    when d.entry_id is null or e.entry_id is null or d.amount_fen <> e.amount_fen then 'it is not what the ledger says'"
	               "    when (d.status = 'reversed') <> (v.entry_id is not null) then 'its reversal is not what the ledger says'"
	               "    when v.amount_fen <> e.amount_fen then 'its reversal is of another amount' end as why"
	               "  from deduction d full join (select * from ledger_entry where kind = 'deduction') e using (entry_id)"
	               "  left join ledger_entry v on v.provider_id = e.provider_id and v.reverses = e.entry_id) x on x.why is not null",
	};
	return check_by_sql(db, &st, r);
}

enum db_status check_statuses(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_statuses",
	        .sql = "select (select count(*) from provider), x.provider_id, 'its status is not the last of its history'"
	               " from (select) one left join (select p.provider_id from provider p left join lateral"
	               "  (select status, since from provider_status h where h.provider_id = p.provider_id order by seq desc limit 1) h on true"
	               "  where (p.status, p.since) is distinct from (h.status, h.since)) x on true",
	};
	return check_by_sql(db, &st, r);
}

enum db_status check_roll_up(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_roll_up",
	        .sql = "with kept as (select * from store_month where month >= coalesce(store_day_kept_from(), '-infinity'))"
	               " select (select count(*) from kept), x.store_id || ' ' || to_char(x.month, 'YYYY-MM'), 'its roll-up is not the sum of its days'"
	               " from (select) one left join (select store_id, month from"
	               "  (select store_id, date_trunc('month', day)::date as month, sum(orders) as orders, sum(gmv_fen) as gmv_fen from store_day"
	               "   where day < (select date_trunc('month', day + 1)::date from watermark) group by 1, 2) d"
	               "  full join kept m using (store_id, month)"
	               "  where (coalesce(d.orders, 0), coalesce(d.gmv_fen, 0)) <> (coalesce(m.orders, 0), coalesce(m.gmv_fen, 0))) x on true",
	};
	return check_by_sql(db, &st, r);
}

/* ---- the lifecycle ---- */

enum db_status check_lifecycle(struct db *db, struct check_report *r)
{
	static const struct statement st = {
	        .name = "check_lifecycle",
	        .sql = "select from_status, to_status from lifecycle_transition",
	};
	PGresult *res = NULL;
	enum db_status status = db_run(db, &st, NULL, &res);
	int rows = status == DB_OK ? PQntuples(res) : 0;
	r->looked_at += rows;
	for (int row = 0; row < rows; row++) {
		enum provider_status from, to;
		if (!provider_status_by_name(PQgetvalue(res, row, 0), &from) || !provider_status_by_name(PQgetvalue(res, row, 1), &to) ||
		    !lifecycle_allows(from, to))
			wrong(r, PQgetvalue(res, row, 0), "the database allows a move that the rules do not");
	}
	if (status == DB_OK && (size_t)rows != lifecycle_transition_count)
		wrong(r, "lifecycle_transition", "the database and the rules do not hold the same number of moves");
	PQclear(res);
	return status;
}

/* What must hold in the database whatever happened: for `assayd verify`. */
#ifndef ASSAY_MODEL_STORE_CHECKS_H
#define ASSAY_MODEL_STORE_CHECKS_H

#include "server/db.h"

#include <stdint.h>

struct check_report {
	int64_t looked_at;
	int64_t wrong;
	void (*found)(void *arg, const char *what); /* one line for each of the first CHECK_LINES_MAX that are wrong */
	void *arg;
};

enum { CHECK_LINES_MAX = 20 };

/* Each adds to the report. */
enum db_status check_decisions(struct db *db, struct check_report *r); /* each replays to its own bytes and hash */
enum db_status check_corrections(struct db *db, struct check_report *r); /* chains of decisions, each by a confirmed correction */
enum db_status check_marks(struct db *db, struct check_report *r); /* each that today's facts differ from is marked, and no other */
enum db_status check_policies(struct db *db, struct check_report *r);  /* each document has its hash */
enum db_status check_ledger(struct db *db, struct check_report *r);    /* each entry balances and follows from those before */
enum db_status check_deposits(struct db *db, struct check_report *r);  /* each balance is the sum of its entries; what is held and owed */
enum db_status check_refunds(struct db *db, struct check_report *r);   /* each holds and pays what its entries do */
enum db_status check_deductions(struct db *db, struct check_report *r); /* each is open, closed or reversed as the ledger says */
enum db_status check_lifecycle(struct db *db, struct check_report *r); /* the table of moves is the one of model/rules */
enum db_status check_statuses(struct db *db, struct check_report *r);  /* each provider's status is its history's last */
enum db_status check_roll_up(struct db *db, struct check_report *r);   /* each closed store-month is the sum of its days */

#endif

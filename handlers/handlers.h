/* The first phase of every operation; the route table says which is whose. */
#ifndef ASSAY_HANDLERS_HANDLERS_H
#define ASSAY_HANDLERS_HANDLERS_H

#include "server/request.h"

/* providers.c, provider_patch.c, provider_list.c */
void handle_provider_register(struct request *rq);
void handle_provider_list(struct request *rq);
void handle_provider_get(struct request *rq);
void handle_provider_patch(struct request *rq);

/* qualification.c */
void handle_qualification(struct request *rq);

/* applications.c, application_decide.c */
void handle_application_submit(struct request *rq);
void handle_application_list(struct request *rq);
void handle_application_get(struct request *rq);
void handle_application_approve(struct request *rq);
void handle_application_reject(struct request *rq);
void handle_application_withdraw(struct request *rq);

/* deposit.c */
void handle_deposit_get(struct request *rq);
void handle_deposit_entry_add(struct request *rq);
void handle_deposit_entry_list(struct request *rq);
void handle_deduction_close(struct request *rq);
void handle_deposit_statement(struct request *rq);

/* refunds.c */
void handle_refund_request(struct request *rq);
void handle_refund_list(struct request *rq);
void handle_refund_get(struct request *rq);
void handle_refund_approve(struct request *rq);
void handle_refund_settle(struct request *rq);
void handle_refund_fail(struct request *rq);

/* exits.c */
void handle_provider_exit(struct request *rq);

/* waivers.c */
void handle_waiver_propose(struct request *rq);
void handle_waiver_list(struct request *rq);
void handle_waiver_get(struct request *rq);
void handle_waiver_confirm(struct request *rq);
void handle_waiver_revoke(struct request *rq);

/* stores.c, store_days.c, provider_stores.c */
void handle_store_get(struct request *rq);
void handle_store_day_list(struct request *rq);
void handle_provider_store_list(struct request *rq);

/* periods.c */
void handle_period_list(struct request *rq);
void handle_period_get(struct request *rq);
void handle_early_conversion(struct request *rq);

/* imports */
void handle_import_create(struct request *rq);
void handle_import_list(struct request *rq);
void handle_import_get(struct request *rq);
void handle_import_errors(struct request *rq);

/* assessment */
void handle_evaluate(struct request *rq);
void handle_run_create(struct request *rq);
void handle_run_list(struct request *rq);
void handle_run_get(struct request *rq);
void handle_run_results(struct request *rq);
void handle_decision_list(struct request *rq);
void handle_decision_get(struct request *rq);
void handle_decision_evidence(struct request *rq);
void handle_decision_replay(struct request *rq);

/* corrections.c */
void handle_decision_correct(struct request *rq);
void handle_correction_list(struct request *rq);
void handle_correction_get(struct request *rq);
void handle_correction_confirm(struct request *rq);
void handle_correction_reject(struct request *rq);

/* appeals.c */
void handle_appeal_submit(struct request *rq);
void handle_appeal_list(struct request *rq);
void handle_appeal_get(struct request *rq);
void handle_appeal_confirm(struct request *rq);
void handle_appeal_correct(struct request *rq);
void handle_appeal_withdraw(struct request *rq);

/* policies.c, policy_drafts.c */
void handle_policy_list(struct request *rq);
void handle_policy_get(struct request *rq);
void handle_policy_compare(struct request *rq);
void handle_policy_validate(struct request *rq);
void handle_policy_draft(struct request *rq);
void handle_policy_replace(struct request *rq);
void handle_policy_delete(struct request *rq);
void handle_policy_publish(struct request *rq);

/* simulations.c, what_if.c */
void handle_simulate(struct request *rq);
void handle_simulation_list(struct request *rq);
void handle_simulation_get(struct request *rq);
void handle_simulation_results(struct request *rq);
void handle_what_if(struct request *rq);

/* keys.c */
void handle_key_create(struct request *rq);
void handle_key_list(struct request *rq);
void handle_key_get(struct request *rq);
void handle_key_rotate(struct request *rq);
void handle_key_revoke(struct request *rq);

/* audit.c */
void handle_audit_list(struct request *rq);
void handle_audit_verify(struct request *rq);

/* the service itself */
void handle_test_clock(struct request *rq);
void handle_healthz(struct request *rq);
void handle_readyz(struct request *rq);
void handle_metrics(struct request *rq);
void handle_openapi(struct request *rq);
void handle_docs(struct request *rq);

#endif

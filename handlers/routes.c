#include "handlers/routes.h"

#include "handlers/handlers.h"

#define ADMIN ROLE_ADMIN
#define REVIEW (ROLE_ADMIN | ROLE_OPERATOR)
#define OWN (ROLE_ADMIN | ROLE_PARTNER)
#define FEED (ROLE_ADMIN | ROLE_FEED)
#define READ (ROLE_ADMIN | ROLE_OPERATOR | ROLE_PARTNER | ROLE_AUDITOR)
#define BACK_OFFICE (ROLE_ADMIN | ROLE_OPERATOR | ROLE_AUDITOR)
#define PAGE "limit cursor"
#define EVALUATION_BODY_MAX ((size_t)16 * 1024 * 1024)

#define ROUTE(verb, name, where, who, fn) .id = name, .method = verb, .path = where, .roles = who, .handle = fn
#define GET(name, where, who, fn) ROUTE("GET", name, where, who, fn)
#define POST(name, where, who, fn) ROUTE("POST", name, where, who, fn), .body = BODY_JSON

const struct operation operations[] = {
        {POST("registerProvider", "/v1/providers", OWN, handle_provider_register)},
        {GET("listProviders", "/v1/providers", READ, handle_provider_list), .query = PAGE " status region industry q"},
        {GET("getProvider", "/v1/providers/{id}", READ, handle_provider_get)},
        {ROUTE("PATCH", "updateProvider", "/v1/providers/{id}", REVIEW, handle_provider_patch), .body = BODY_JSON},
        {GET("getQualification", "/v1/providers/{id}/qualification", READ, handle_qualification)},

        {POST("submitApplication", "/v1/providers/{id}/applications", OWN, handle_application_submit)},
        {GET("listApplications", "/v1/providers/{id}/applications", READ, handle_application_list), .query = PAGE " status"},
        {GET("getApplication", "/v1/applications/{id}", READ, handle_application_get)},
        {POST("approveApplication", "/v1/applications/{id}/approve", REVIEW, handle_application_approve),
         .body_optional = true},
        {POST("rejectApplication", "/v1/applications/{id}/reject", REVIEW, handle_application_reject)},
        {POST("withdrawApplication", "/v1/applications/{id}/withdraw", OWN, handle_application_withdraw),
         .body_optional = true},

        {GET("getDeposit", "/v1/providers/{id}/deposit", READ, handle_deposit_get), .query = "as_of known_at", .etag_of_body = true, .from_primary = true},
        {POST("addDepositEntry", "/v1/providers/{id}/deposit/entries", REVIEW, handle_deposit_entry_add), .key_required = true},
        {GET("listDepositEntries", "/v1/providers/{id}/deposit/entries", READ, handle_deposit_entry_list),
         .query = PAGE " kind", .from_primary = true},
        {POST("closeDeduction", "/v1/providers/{id}/deposit/entries/{entry_id}/close", REVIEW, handle_deduction_close),
         .body_optional = true},
        {GET("getDepositStatement", "/v1/providers/{id}/deposit/statement", READ, handle_deposit_statement),
         .query = "from through", .from_primary = true},
        {POST("requestRefund", "/v1/providers/{id}/deposit/refunds", REVIEW, handle_refund_request), .key_required = true},
        {GET("listRefunds", "/v1/providers/{id}/deposit/refunds", READ, handle_refund_list), .query = PAGE " status", .from_primary = true},
        {GET("getRefund", "/v1/refunds/{id}", READ, handle_refund_get), .from_primary = true},
        {POST("approveRefund", "/v1/refunds/{id}/approve", REVIEW, handle_refund_approve), .key_required = true,
         .body_optional = true},
        {POST("settleRefund", "/v1/refunds/{id}/settle", REVIEW, handle_refund_settle), .key_required = true,
         .body_optional = true},
        {POST("failRefund", "/v1/refunds/{id}/fail", REVIEW, handle_refund_fail), .key_required = true, .body_optional = true},

        {POST("exitProvider", "/v1/providers/{id}/exit", REVIEW | ROLE_PARTNER, handle_provider_exit), .body_optional = true},
        {POST("proposeWaiver", "/v1/providers/{id}/waivers", ADMIN, handle_waiver_propose)},
        {GET("listWaivers", "/v1/providers/{id}/waivers", READ, handle_waiver_list), .query = PAGE " status"},
        {GET("getWaiver", "/v1/waivers/{id}", READ, handle_waiver_get)},
        {POST("confirmWaiver", "/v1/waivers/{id}/confirm", ADMIN, handle_waiver_confirm), .body_optional = true},
        {POST("revokeWaiver", "/v1/waivers/{id}/revoke", ADMIN, handle_waiver_revoke)},

        {GET("listProviderStores", "/v1/providers/{id}/stores", READ, handle_provider_store_list), .query = PAGE},
        {GET("getStore", "/v1/stores/{id}", READ, handle_store_get), .etag_of_body = true},
        {GET("listPeriods", "/v1/providers/{id}/periods", READ, handle_period_list), .query = PAGE " stage status"},
        {GET("getPeriod", "/v1/periods/{id}", READ, handle_period_get)},
        {POST("convertEarly", "/v1/providers/{id}/early-conversion", REVIEW | ROLE_PARTNER, handle_early_conversion),
         .body_optional = true},

        {ROUTE("POST", "createImport", "/v1/imports", FEED, handle_import_create), .body = BODY_STREAM, .body_max = SIZE_MAX,
         .query = "kind mode complete_through"},
        {GET("listImports", "/v1/imports", BACK_OFFICE | ROLE_FEED, handle_import_list), .query = PAGE " kind status"},
        {GET("getImport", "/v1/imports/{id}", BACK_OFFICE | ROLE_FEED, handle_import_get), .etag_of_body = true},
        {GET("listImportErrors", "/v1/imports/{id}/errors", BACK_OFFICE | ROLE_FEED, handle_import_errors), .query = PAGE},

        {ROUTE("POST", "evaluate", "/v1/evaluations", READ, handle_evaluate), .body = BODY_STREAM,
         .json_stream = true, .body_max = EVALUATION_BODY_MAX, .query = "form"},
        {POST("startAssessmentRun", "/v1/assessment-runs", REVIEW, handle_run_create)},
        {GET("listAssessmentRuns", "/v1/assessment-runs", BACK_OFFICE, handle_run_list), .query = PAGE " status"},
        {GET("getAssessmentRun", "/v1/assessment-runs/{id}", BACK_OFFICE, handle_run_get), .etag_of_body = true},
        {GET("listAssessmentResults", "/v1/assessment-runs/{id}/results", BACK_OFFICE, handle_run_results),
         .query = PAGE " outcome"},
        {GET("listDecisions", "/v1/decisions", READ, handle_decision_list), .query = PAGE " provider_id period_id outcome"},
        {GET("getDecision", "/v1/decisions/{id}", READ, handle_decision_get)},
        {GET("getDecisionEvidence", "/v1/decisions/{id}/evidence", READ, handle_decision_evidence)},
        {POST("replayDecision", "/v1/decisions/{id}/replay", READ, handle_decision_replay), .body_optional = true},

        {POST("draftPolicy", "/v1/policies", ADMIN, handle_policy_draft)},
        {GET("listPolicies", "/v1/policies", READ, handle_policy_list), .query = PAGE " industry status policy_id"},
        {GET("getPolicy", "/v1/policies/{id}@{version}", READ, handle_policy_get)},
        {ROUTE("PUT", "replacePolicy", "/v1/policies/{id}@{version}", ADMIN, handle_policy_replace), .body = BODY_JSON},
        {ROUTE("DELETE", "deletePolicy", "/v1/policies/{id}@{version}", ADMIN, handle_policy_delete)},
        {GET("comparePolicies", "/v1/policies/{id}@{version}/compare", READ, handle_policy_compare), .query = "with",
         .etag_of_body = true},
        {GET("validatePolicy", "/v1/policies/{id}@{version}/validate", BACK_OFFICE, handle_policy_validate), .etag_of_body = true},
        {POST("publishPolicy", "/v1/policies/{id}@{version}/publish", ADMIN, handle_policy_publish), .body_optional = true},

        {POST("createKey", "/v1/keys", ADMIN, handle_key_create)},
        {GET("listKeys", "/v1/keys", ADMIN | ROLE_AUDITOR, handle_key_list), .query = PAGE, .from_primary = true},
        {GET("getKey", "/v1/keys/{id}", ADMIN | ROLE_AUDITOR, handle_key_get), .from_primary = true},
        {POST("rotateKey", "/v1/keys/{id}/rotate", ADMIN, handle_key_rotate), .body_optional = true},
        {ROUTE("DELETE", "revokeKey", "/v1/keys/{id}", ADMIN, handle_key_revoke)},
        {GET("listAuditEntries", "/v1/audit", ADMIN | ROLE_AUDITOR, handle_audit_list),
         .query = PAGE " subject provider_id actor_id action from to"},
        {GET("verifyAudit", "/v1/audit/verify", ADMIN | ROLE_AUDITOR, handle_audit_verify), .query = "head resume", .from_primary = true},
        {POST("setTestClock", "/v1/test-clock", ADMIN, handle_test_clock)},

        {GET("getHealth", "/healthz", ROLES_PUBLIC, handle_healthz)},
        {GET("getReadiness", "/readyz", ROLES_PUBLIC, handle_readyz)},
        {GET("getMetrics", "/metrics", ROLES_PUBLIC, handle_metrics)},
        {GET("getOpenapi", "/openapi.yaml", ROLES_PUBLIC, handle_openapi)},
        {GET("getDocs", "/docs", ROLES_PUBLIC, handle_docs)},
        {GET("getDocsScript", "/docs/redoc.js", ROLES_PUBLIC, handle_docs)},
};
const size_t operations_len = sizeof(operations) / sizeof(operations[0]);

#include "model/store/keys.h"

const struct statement AUTH_KEY = {
        .name = "auth_key",
        .sql = "select k.hex, a.key_id, a.name, a.role, a.provider_id,"
               " ceil(extract(epoch from a.expires_at - now()) * 1000)::bigint, a.revoked_at is not null,"
               " coalesce(a.last_used_at > now() - interval '1 minute', false), a.actor_id, a.requests_per_second"
               " from unnest($1::text[]) k(hex) join api_key a on a.hash = decode(k.hex, 'hex')",
        .params = 1,
        .by_keys = true,
};

const struct statement KEY_USED = {
        .name = "key_used",
        .sql = "update api_key set last_used_at = now() where key_id = $1"
               " and coalesce(last_used_at < now() - interval '1 minute', true)",
        .params = 1,
};

const struct statement KEY_ADD = {
        .name = "key_add",
        .sql = "select key_add($1, $2, $3, $4, $5)",
        .params = 5,
};

const struct statement KEY_LIST = {
        .name = "key_list",
        .sql = "select key_id, key_body(k) from api_key k where key_id < coalesce($1, 'key_g')"
               " order by key_id desc limit $2::integer",
        .params = 2,
};

const struct statement KEY_BY_ID = {
        .name = "key_by_id",
        .sql = "select key_id, key_body(k) from api_key k where key_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

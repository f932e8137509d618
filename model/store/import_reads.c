#include "model/store/import_reads.h"

#include "server/request.h"

const struct statement IMPORT_BY_ID = {
        .name = "import_by_id",
        .sql = "select import_id, import_body(i) from import i where import_id = any($1::text[])",
        .params = 1,
        .by_keys = true,
};

const struct statement IMPORT_LIST = {
        .name = "import_list",
        .sql = "select cursor, body from import_list($1, $2::integer, $3, $4)",
        .params = 4,
};

/* The cursor is compared as text, padded so that its order is the numbers'. */
const struct statement IMPORT_ERROR_LIST = {
        .name = "import_error_list",
        .sql = "select x.place, e.line, e.column_name, e.code, e.args[1], e.args[2], e.args[3]"
               " from import_error e cross join lateral (select lpad(e.line::text, 19, '0') || '.' || lpad(e.seq::text, 10, "
               "'0') as place) x"
               " where e.import_id = $1 and ($2::text is null or x.place collate \"C\" > $2)"
               " order by e.line, e.seq limit $3::integer",
        .params = 3,
};

const struct statement IMPORT_ANSWER = {
        .name = "import_answer",
        .sql = "select " API_WRITE_COLUMNS " from import_answer($1::jsonb, $2::integer, $3, $4::jsonb, $5::json, $6, $7)",
        .params = 7,
};

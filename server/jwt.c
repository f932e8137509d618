#include "server/jwt.h"

#include "base/base64url.h"
#include "base/json_read.h"
#include "server/jwt_keys.h"
#include "server/log.h"

#include <cjose/header.h>
#include <cjose/jws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ES256_SIGNATURE_TEXT = 86, /* 64 bytes in base64url */
	PLAIN_MAX = 200, /* of the issuer and of `sub`: jwt:<issuer>:<sub> has room for both */
	FAR_S = 0x7fffffff /* a time so far ahead that it need not be told from later ones, in seconds from now */
};

struct jwt {
	struct jwt_settings settings;
	struct jwt_key keys[JWT_KEYS_MAX];
	size_t keys_len;
};

/* What is logged and kept as it is: printable ASCII that needs no escaping anywhere. */
static bool plain(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f || strchr("\"\\<>", text[i]))
			return false;
	return len >= 1 && len <= PLAIN_MAX;
}

void jwt_free(struct jwt *jwt)
{
	if (!jwt)
		return;
	jwt_keys_free(jwt->keys, jwt->keys_len);
	free(jwt);
}

bool jwt_new(const struct jwt_settings *settings, struct jwt **out)
{
	*out = NULL;
	if (!settings->key_file)
		return true;
	if (!plain(settings->issuer) || !settings->audience) {
		log_line(LOG_ERROR,
		         "ASSAY_JWT_PUBLIC_KEY_FILE needs ASSAY_JWT_ISSUER, up to 200 printable characters, and "
		         "ASSAY_JWT_AUDIENCE",
		         NULL);
		return false;
	}
	struct jwt *jwt = calloc(1, sizeof *jwt);
	if (!jwt)
		return false;
	jwt->settings = *settings;
	jwt->keys_len = jwt_keys_read(settings->key_file, jwt->keys);
	if (jwt->keys_len)
		*out = jwt;
	else
		jwt_free(jwt);
	return *out != NULL;
}

/* ---- signature ---- */

static const char *check_signature(const struct jwt *jwt, cjose_jws_t *jws, size_t signature_text)
{
	cjose_err err;
	cjose_header_t *header = cjose_jws_get_protected(jws);
	const char *alg = cjose_header_get(header, CJOSE_HDR_ALG, &err);
	char *raw = cjose_header_get_raw(header, "crit", &err);
	bool critical = raw != NULL;
	free(raw);
	if (critical)
		return "it has critical extensions, and none is known here";
	if (!alg || (strcmp(alg, CJOSE_HDR_ALG_ES256) == 0 && signature_text != ES256_SIGNATURE_TEXT))
		return "it has no signature of a known kind";
	for (size_t i = 0; i < jwt->keys_len; i++)
		if (strcmp(jwt->keys[i].alg, alg) == 0 && cjose_jws_verify(jws, jwt->keys[i].jwk, &err))
			return NULL;
	return "none of the public keys made its signature";
}

/* ---- claims ---- */

static bool is_for_us(const json_t *aud, const char *audience)
{
	const char *one = json_string_value(aud);
	if (one)
		return strcmp(one, audience) == 0;
	for (size_t i = 0; i < json_array_size(aud); i++) {
		one = json_string_value(json_array_get(aud, i));
		if (one && strcmp(one, audience) == 0)
			return true;
	}
	return false;
}

/* A NumericDate, which may have a fraction, in seconds from now. */
static bool seconds_ahead(const json_t *date, int64_t now_s, int64_t *out)
{
	double ahead = json_number_value(date) - (double)now_s;
	if (!json_is_number(date))
		return false;
	*out = ahead > FAR_S ? FAR_S : ahead < -FAR_S ? -FAR_S : (int64_t)ahead;
	return true;
}

static const char *check_times(const json_t *claims, int64_t now_s, int64_t *until_s)
{
	const json_t *not_before = json_object_get(claims, "nbf");
	int64_t expires, begins = 0;
	if (!seconds_ahead(json_object_get(claims, "exp"), now_s, &expires))
		return "it has no exp";
	if (expires + JWT_LEEWAY_SECONDS <= 0)
		return "it has expired";
	if (not_before && !seconds_ahead(not_before, now_s, &begins))
		return "its nbf is no time";
	if (begins > JWT_LEEWAY_SECONDS)
		return "it is not valid yet";
	*until_s = now_s + expires + JWT_LEEWAY_SECONDS;
	return NULL;
}

/* False when it is no string or too long; absent is "" and fine. */
static bool take(const json_t *claims, const char *name, char *out, size_t size)
{
	const json_t *value = json_object_get(claims, name);
	const char *text = json_string_value(value);
	snprintf(out, size, "%s", text ? text : "");
	return !value || (text && strlen(text) < size);
}

static const char *read_claims(const struct jwt *jwt, const json_t *claims, int64_t now_s, struct jwt_claims *out)
{
	const struct jwt_settings *s = &jwt->settings;
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	const char *subject = json_string_value(json_object_get(claims, "sub"));
	if (!issuer || strcmp(issuer, s->issuer) != 0)
		return "its iss is another";
	if (!is_for_us(json_object_get(claims, "aud"), s->audience))
		return "its aud is another";
	const char *why = check_times(claims, now_s, &out->until_s);
	if (why)
		return why;
	if (!plain(subject))
		return "its sub is not 1 to 200 printable characters";
	if (!take(claims, s->role_claim, out->role, sizeof out->role) || !out->role[0])
		return "it has no role";
	if (!take(claims, s->provider_claim, out->provider_id, sizeof out->provider_id))
		return "its provider is no id";
	if (!take(claims, "name", out->name, sizeof out->name) || !out->name[0])
		snprintf(out->name, sizeof out->name, "%s", subject);
	snprintf(out->actor_id, sizeof out->actor_id, "jwt:%s:%s", issuer, subject);
	return NULL;
}

static const char *check_claims(const struct jwt *jwt, cjose_jws_t *jws, int64_t now_s, struct jwt_claims *out)
{
	struct faults faults = {0};
	json_t *claims = NULL;
	uint8_t *data;
	size_t len;
	cjose_err err;
	const char *why = "it is not JSON";
	if (cjose_jws_get_plaintext(jws, &data, &len, &err) &&
	    json_read((const char *)data, len, JSON_DEPTH_MAX, &claims, &faults) == JSON_OK)
		why = read_claims(jwt, claims, now_s, out);
	json_decref(claims);
	faults_free(&faults);
	return why;
}

/* Three parts in base64url as it is to be (RFC 7515, 2: no padding). libcjose's decoder aborts on some texts that are not. */
static bool is_compact_jws(const char *token)
{
	unsigned char bytes[BASE64URL_BYTES(JWT_MAX)];
	int parts = 0;
	for (const char *at = token;; parts++) {
		size_t len = strcspn(at, "."), decoded;
		if (!len || !base64url_decode(at, len, bytes, sizeof bytes, &decoded))
			return false;
		if (!at[len])
			return parts == 2;
		at += len + 1;
	}
}

const char *jwt_check(const struct jwt *jwt, const char *token, int64_t now_s, struct jwt_claims *out)
{
	size_t len = strlen(token);
	const char *last_dot = strrchr(token, '.');
	cjose_err err;
	if (len > JWT_MAX || !last_dot || !is_compact_jws(token))
		return "it is no JWT";
	cjose_jws_t *jws = cjose_jws_import(token, len, &err);
	if (!jws)
		return "it is no JWT";
	const char *why = check_signature(jwt, jws, len - (size_t)(last_dot + 1 - token));
	if (!why)
		why = check_claims(jwt, jws, now_s, out);
	cjose_jws_release(jws);
	return why;
}

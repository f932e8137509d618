/* Any text as a sign-on token: it never crashes, and never lets in, since nobody here can sign. The first byte picks whether the
 * input is the token as it is, or the header and claims (divided by a zero byte), so that what lies behind base64url is reached. */
#include "base/base64url.h"
#include "server/jwt.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of no one: the private halves were never kept. */
static const char keys[] = "-----BEGIN PUBLIC KEY-----\n"
                           "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhENaokX7m2Ip0uE2eJTTP79FRA/x\n"
                           "U+d81Ot7fEBvSXrpqkR3lXT8TqzZnr5GhUYS4cItASWjXffAzawBJiXolA==\n"
                           "-----END PUBLIC KEY-----\n"
                           "-----BEGIN PUBLIC KEY-----\n"
                           "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzA1bewaqjJeUABTy4v89\n"
                           "EljEkqOp0HA0DxiPnKpZoR9KRg7lAn0iif/6xSvmJ6aaAllpLDtvpdas9M7HMrkV\n"
                           "mCyW0dhOXqehc4YCEGE4zfwHl78m4ulTEsGL8fDf4w3T5f9ngp8MzukCYcwaG4yF\n"
                           "qF94FxeVzkREu5kmYlmLZOUwatosLbAyQ4Sr/ts7bn/Gkz8NOkqD00cPCJixMRfg\n"
                           "HYykNNQ6pwlVVpw6wEEiONSynkzz5TttAUl6SWlM3lvjVJ7qc+TrdyhyXedpKsdG\n"
                           "gstq6zViT32HNX5q+1jr4o3APDVWiOUTDzSdGINZt9MkfvzOhF3byt+n3p0oZTyj\n"
                           "PQIDAQAB\n"
                           "-----END PUBLIC KEY-----\n";

static struct jwt *jwt;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[] = "/tmp/assay-jwt-fuzz-XXXXXX";
	int fd = mkstemp(path);
	const struct jwt_settings settings = {
	        .key_file = path, .issuer = "i", .audience = "a", .role_claim = "r", .provider_claim = "p"};
	(void)argc;
	(void)argv;
	if (fd < 0 || write(fd, keys, sizeof keys - 1) != (ssize_t)sizeof keys - 1 || !jwt_new(&settings, &jwt))
		abort();
	close(fd);
	unlink(path);
	return 0;
}

static void check(const char *token)
{
	struct jwt_claims claims;
	assert(jwt_check(jwt, token, 1000000, &claims) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[3 * JWT_MAX];
	if (size < 1 || size > JWT_MAX / 2)
		return 0;
	const char *from = (const char *)data + 1;
	size_t len = size - 1;
	if (data[0] & 1) {
		snprintf(text, sizeof text, "%.*s", (int)len, from);
	} else {
		size_t head = strnlen(from, len);
		base64url_encode(from, head, text);
		size_t at = strlen(text);
		text[at] = '.';
		base64url_encode(from + head, len - head, text + at + 1);
		snprintf(text + strlen(text), sizeof text - strlen(text), ".%086d", 0);
	}
	check(text);
	return 0;
}

/* base/sha256, base/random. */
#include "base/random.h"
#include "base/sha256.h"

#include "tests/support/check_main.h"

#include <string.h>

/* FIPS 180-4's examples. */
static const struct {
	const char *text, *hex;
} vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(the_standards_examples)
{
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		char hex[SHA256_HEX];

		sha256_hex(vectors[i].text, strlen(vectors[i].text), hex);
		ck_assert_str_eq(hex, vectors[i].hex);
	}
	char hex[SHA256_HEX];

	sha256_hex(NULL, 0, hex);
	ck_assert_str_eq(hex, vectors[0].hex);
}
END_TEST

START_TEST(pieces_give_what_the_whole_gives)
{
	const char *text = vectors[2].text;
	size_t n = strlen(text);

	for (size_t cut = 0; cut <= n; cut++) {
		struct sha256 *h = sha256_new();
		unsigned char digest[SHA256_BYTES];
		char hex[SHA256_HEX];

		ck_assert_ptr_nonnull(h);
		sha256_add(h, text, cut);
		sha256_add(h, text + cut, n - cut);
		sha256_end(h, digest);
		hex_of(digest, sizeof digest, hex);
		ck_assert_str_eq(hex, vectors[2].hex);
	}
}
END_TEST

START_TEST(giving_up_frees)
{
	struct sha256 *h = sha256_new();

	sha256_add(h, "abc", 3);
	sha256_end(h, NULL);
	sha256_end(NULL, NULL);
}
END_TEST

START_TEST(random_bytes_fill_and_differ)
{
	unsigned char a[64] = {0};
	unsigned char b[64] = {0};

	ck_assert(random_bytes(a, sizeof a));
	ck_assert(random_bytes(b, sizeof b));
	ck_assert_mem_ne(a, b, sizeof a);
	ck_assert_mem_ne(a + 48, b + 48, 16);
	ck_assert(!random_bytes(a, (size_t)1 << 40));
	ck_assert(random_bytes(a, 0));
}
END_TEST

CHECK_MAIN("base/sha256", the_standards_examples, pieces_give_what_the_whole_gives, giving_up_frees,
           random_bytes_fill_and_differ)

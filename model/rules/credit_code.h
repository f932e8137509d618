/* Unified social credit codes (统一社会信用代码), GB 32100-2015: 18 characters of an alphabet of 31 (digits and upper-case
 * letters without I O S V Z), places 3 to 8 a region's digits, the last one a check character. */
#ifndef ASSAY_MODEL_RULES_CREDIT_CODE_H
#define ASSAY_MODEL_RULES_CREDIT_CODE_H

enum { CREDIT_CODE_LENGTH = 18 };

enum credit_code_verdict {
	CREDIT_CODE_OK,
	CREDIT_CODE_BAD_FORMAT, /* length, alphabet or the region's digits: fault wrong_format */
	CREDIT_CODE_BAD_CHECK   /* only the check character is wrong: fault bad_check_character */
};

enum credit_code_verdict credit_code_check(const char *text);
/* The check character that the first 17 characters ask for; '\0' when they are not of the form. */
char credit_code_check_character(const char *first17);

#endif

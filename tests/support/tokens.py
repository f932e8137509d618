"""A single sign-on's tokens (JWTs), signed with openssl."""

import base64
import json
import os
import subprocess
import tempfile
import time

KINDS = {
    "RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "RS1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ES384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "EdDSA": ["-algorithm", "ED25519"],
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encoded(value):
    return base64url(value if isinstance(value, bytes) else json.dumps(value).encode())


def openssl(*args, stdin=b""):
    return subprocess.run(["openssl", *args], input=stdin, capture_output=True, check=True, timeout=60).stdout


def raw_signature(der, size):
    """r and s of an ECDSA signature, each of `size` bytes, out of SEQUENCE { INTEGER r, INTEGER s }."""
    numbers, at = [], 2 if der[1] < 0x80 else 3
    while at < len(der):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big"))
        at += 2 + length
    return b"".join(n.to_bytes(size, "big") for n in numbers)


class Issuer:
    def __init__(self, alg="RS256"):
        self.alg = alg
        self.dir = tempfile.TemporaryDirectory(prefix="assay-issuer-")
        self.private = os.path.join(self.dir.name, "private.pem")
        self.public = os.path.join(self.dir.name, "public.pem")
        openssl("genpkey", *KINDS[alg], "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)
        os.chmod(self.dir.name, 0o755)

    def public_pem(self):
        with open(self.public, encoding="ascii") as f:
            return f.read()

    def sign(self, text):
        der = openssl("dgst", "-sha256", "-sign", self.private, stdin=text.encode())
        return raw_signature(der, 32) if self.alg.startswith("ES") else der

    def token(self, claims=None, header=None, **more):
        """Of the operator Lin unless told otherwise. A claim or header given as ... is left out."""
        now = int(time.time())
        all_claims = {"iss": "https://sso.example", "aud": "assay", "sub": "u-17", "name": "林", "iat": now, "exp": now + 600,
                      "assay_role": "operator", **(claims or {}), **more}
        all_header = {"alg": self.alg, "typ": "JWT", **(header or {})}
        parts = [{k: v for k, v in part.items() if v is not ...} for part in (all_header, all_claims)]
        text = ".".join(encoded(part) for part in parts)
        return f"{text}.{base64url(self.sign(text))}"

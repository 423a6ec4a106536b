"""Which tokens are LiveKit's: what we sign every verifier accepts, and nothing else passes for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import string
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_dash.core.media_token import Signer
from tests.core.soak import examples

SECRET = b"a-livekit-secret-of-the-tests-alone"
NOW = 1_800_000_000
CLAIMS: dict[str, Any] = {"iss": "testkey", "sub": "ada", "nbf": NOW, "exp": NOW + 60, "video": {"room": "x"}}
SIGNER = Signer(SECRET)


def part(value: Any) -> str:
    """One part of a compact JWT, from JSON or from bytes."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header: Any, claims: Any = CLAIMS, secret: bytes = SECRET, digest: str = "sha256") -> str:
    """A token with any header, truly signed by whoever holds the secret."""
    message = f"{part(header)}.{part(claims)}"
    return f"{message}.{part(hmac.digest(secret, message.encode(), digest))}"


HS256 = {"alg": "HS256", "typ": "JWT"}
GOOD = SIGNER.sign(CLAIMS)
HEADER, BODY, SIGNATURE = GOOD.split(".")
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)

FORGED: dict[str, tuple[str, str]] = {
    "alg none, unsigned": (f"{part({'alg': 'none'})}.{BODY}.", "signature"),
    "alg none in capitals": (f"{part({'alg': 'NoNe'})}.{BODY}.", "signature"),
    "alg none, signed all the same": (forged({"alg": "none"}), "signature"),
    "no alg": (forged({"typ": "JWT"}), "signature"),
    "alg as a list": (forged({"alg": ["HS256"]}), "signature"),
    "HS384 with our secret": (forged({"alg": "HS384"}, digest="sha384"), "signature"),
    "HS512 with our secret": (jwt.encode(CLAIMS, SECRET * 2, "HS512"), "signature"),
    "HS256 said, SHA-384 used": (forged(HS256, digest="sha384"), "signature"),
    "RS256 with a key of their own": (jwt.encode(CLAIMS, _RSA, "RS256"), "signature"),
    "RS256 said, our secret used": (forged({"alg": "RS256"}), "signature"),
    "kid that names a file": (forged({**HS256, "kid": "/dev/null"}, secret=b""), "signature"),
    "kid that is a query": (forged({**HS256, "kid": "x' UNION SELECT 'key'--"}, secret=b"key"), "signature"),
    "a key of their own in the header": (forged({**HS256, "jwk": {"k": "a2V5"}}, secret=b"key"), "signature"),
    "an address of keys in the header": (forged({**HS256, "jku": "https://evil.example"}, secret=b"k"), "signature"),
    "another secret": (forged(HS256, secret=b"another-livekit-secret-of-somebody"), "signature"),
    "an empty secret": (forged(HS256, secret=b""), "signature"),
    "crit that we do not know": (forged({**HS256, "crit": ["exp"], "exp": 1}), "signature"),
    "another body": (f"{HEADER}.{part({**CLAIMS, 'sub': 'eve'})}.{SIGNATURE}", "signature"),
    "another header": (f"{part({**HS256, 'x': 1})}.{BODY}.{SIGNATURE}", "signature"),
    "no signature": (f"{HEADER}.{BODY}.", "signature"),
    "half a signature": (f"{HEADER}.{BODY}.{SIGNATURE[:20]}", "signature"),
    "a signature and more": (f"{HEADER}.{BODY}.{part(b'x' * 40)}", "signature"),
    "no dot": (HEADER + BODY + SIGNATURE, "malformed"),
    "two parts": (f"{HEADER}.{BODY}", "malformed"),
    "four parts": (f"{GOOD}.x", "malformed"),
    "a detached body": (f"{HEADER}..{SIGNATURE}", "malformed"),
    "padding": (f"{GOOD}=", "malformed"),
    "a blank in front": (f" {GOOD}", "malformed"),
    "a line break behind": (f"{GOOD}\n", "malformed"),
    "junk inside the signature": (f"{HEADER}.{BODY}.{SIGNATURE[:4]}!!{SIGNATURE[4:]}", "malformed"),
    "the other alphabet": (f"{HEADER}.{BODY}.++//{SIGNATURE[4:]}", "malformed"),
    "a body that is a list": (forged(HS256, [1]), "malformed"),
    "a body that is no JSON": (forged(HS256, b"{"), "malformed"),
    "a header that is a text": (forged("HS256"), "malformed"),
    "letters that are none": (f"{HEADER}.{BODY}.é", "malformed"),
    "nothing": ("", "malformed"),
    "dots": ("..", "malformed"),
    "huge": (f"{HEADER}.{'A' * 70_000}.{SIGNATURE}", "malformed"),
    "no end": (forged(HS256, {k: v for k, v in CLAIMS.items() if k != "exp"}), "malformed"),
    "an end as a text": (forged(HS256, {**CLAIMS, "exp": str(NOW + 60)}), "malformed"),
    "an end that is true": (forged(HS256, {**CLAIMS, "exp": True}), "malformed"),
    "an end beyond all calendars": (forged(HS256, {**CLAIMS, "exp": 1e300}), "malformed"),
    "an end before all calendars": (forged(HS256, {**CLAIMS, "exp": -1e300}), "malformed"),
    "a second ago": (forged(HS256, {**CLAIMS, "exp": NOW}), "expired"),
    "long ago": (forged(HS256, {**CLAIMS, "exp": 0}), "expired"),
}


@pytest.mark.parametrize("what", FORGED)
def test_no_other_token_passes(what: str) -> None:
    token, reason = FORGED[what]

    assert SIGNER.read(token, now=NOW)[1] == reason


def test_a_token_of_ours_passes_until_its_very_second() -> None:
    assert SIGNER.read(GOOD, now=NOW + 59.999) == (CLAIMS, None)
    assert SIGNER.read(GOOD, now=NOW + 60)[1] == "expired"


def test_a_kid_changes_nothing_about_a_token_that_is_truly_signed() -> None:
    assert SIGNER.read(forged({**HS256, "kid": "whatever"}), now=NOW)[1] is None


def test_a_signature_has_one_spelling() -> None:
    # The last of 43 letters holds two bits that say nothing: four spellings of one signature.
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    last = alphabet.index(SIGNATURE[-1])
    spellings = [SIGNATURE[:-1] + alphabet[last // 4 * 4 + more] for more in range(4)]

    accepted = [each for each in spellings if SIGNER.read(f"{HEADER}.{BODY}.{each}", now=NOW)[1] is None]

    assert accepted == [SIGNATURE]


@given(st.text())
@settings(max_examples=examples(200, 20_000), deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    assert SIGNER.read(text, now=NOW)[1] is not None


_LETTERS = st.text(string.ascii_letters + string.digits + "-_=.+/", max_size=60)


@given(_LETTERS, _LETTERS, _LETTERS)
@settings(max_examples=examples(200, 20_000), deadline=None)
def test_nothing_that_looks_like_a_token_makes_it_raise(header: str, body: str, signature: str) -> None:
    assert SIGNER.read(f"{header}.{body}.{signature}", now=NOW)[1] is not None


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(string.ascii_letters + string.digits + "-_.=! \x00é"))
@settings(max_examples=examples(300, 20_000), deadline=None)
def test_one_changed_letter_anywhere_is_noticed(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]

    assert changed == GOOD or SIGNER.read(changed, now=NOW)[1] in {"signature", "malformed"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=10), _JSON, max_size=5))
@settings(max_examples=examples(200, 20_000), deadline=None)
def test_what_is_signed_is_what_is_read_here_and_by_pyjwt(claims: dict[str, Any]) -> None:
    claims = {**claims, "exp": NOW + 60, "sub": "ada", "iss": "testkey"} | {"aud": "x", "nbf": 0, "iat": 0, "jti": "j"}

    token = SIGNER.sign(claims)

    assert SIGNER.read(token, now=NOW) == (claims, None)
    assert jwt.decode(token, SECRET, ["HS256"], audience="x", options={"verify_exp": False}) == claims


def test_the_prepared_hash_is_hmac_sha256() -> None:
    message = f"{HEADER}.{BODY}".encode()

    assert part(hmac.new(SECRET, message, hashlib.sha256).digest()) == SIGNATURE

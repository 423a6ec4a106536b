"""The key that signs the audit log: the setting's, or one that is made once and kept sealed."""

from __future__ import annotations

import pytest

from pulse_dash.core.audit_signing import AuditSigning
from pulse_dash.core.errors import Unavailable
from pulse_dash.core.secret import Secret
from pulse_dash.core.vault import Vault
from pulse_dash.services import Services
from tests.doubles import a_signing, a_vault, kept
from tests.people import Town


def test_a_new_key_in_front_signs_and_the_one_before_still_verifies() -> None:
    old, both = a_signing("the-old-key"), a_signing("the-new-key", "the-old-key")
    key, signature = old.sign(b"a head")

    assert both.good(key, signature, b"a head")
    assert both.sign(b"a head")[0] != key
    assert not old.good(*both.sign(b"a head"), b"a head")


@pytest.mark.parametrize(
    ("key", "signature"), [("", ""), ("0" * 64, "0" * 128), ("not hexadecimal", "0" * 128), ("0" * 64, "zz")]
)
def test_what_no_key_of_ours_signed_is_not_good(key: str, signature: str) -> None:
    assert not a_signing().good(key, signature, b"a head")


def test_a_signature_is_for_what_it_was_made_under() -> None:
    signing = a_signing()
    key, signature = signing.sign(b"a head")

    assert not signing.good(key, signature, b"another head")
    assert not signing.good(key, signature[:-2] + "00", b"a head")
    assert not signing.good(key, "not hexadecimal", b"a head")


async def test_without_a_setting_one_is_made_and_kept_sealed_and_another_node_signs_with_it(
    town: Town, services: Services
) -> None:
    await town.person()
    (document,) = await kept(services.engine, "meta", _id="audit_signing_key")

    one, other = AuditSigning(services.parts.vault, []), AuditSigning(services.parts.vault, [])
    assert not one.ready
    one.use(document["sealed"])
    other.use(document["sealed"])

    assert other.good(*one.sign(b"a head"), b"a head")
    assert one.public_keys[0] not in repr(document)


def test_a_key_that_was_sealed_with_one_that_is_gone_is_told() -> None:
    sealed = a_signing().fresh()
    secret = Secret("another-secret-than-that-of-the-tests")

    with pytest.raises(Unavailable, match="ENCRYPTION_KEYS"):
        AuditSigning(Vault(secret, secret, [secret]), []).use(sealed)
    AuditSigning(a_vault(), []).use(sealed)

"""Whatever is given out without being read back, pyHanko finds valid; and the other way round."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_core.documents import (
    Appearance,
    PreparedPdf,
    ValidSignature,
    finish_pdf,
    prepare_pdf,
    signed_attributes,
    verify_finished,
    verify_pdf,
)
from signer_core.errors import SignerError
from tests.fakes import handmade
from tests.fakes.citizen import NOW, Authority, Citizen, der

ASSETS = Path(__file__).parents[1] / "assets"
DAYS = (-1200, -366, -2, -1, 0, 1, 364, 366, 1200, 2000)
ROOT, OTHER_ROOT = Authority.make("root"), Authority.make("other root")
CITIZENS = {
    (usage, days): Citizen.make(ROOT, usage=usage, issued_at=NOW + timedelta(days=days))
    for usage in ("content_commitment", "digital_signature", "key_cert_sign")
    for days in (-800, 0, 800)
}
STRANGER = Citizen.make(OTHER_ROOT)
PAGES = {
    "by hand": (handmade.one_page(), None),
    "visible": (handmade.one_page(), Appearance()),
    "object streams": ((ASSETS / "object_streams.pdf").read_bytes(), None),
    "hybrid": ((ASSETS / "hybrid_xref.pdf").read_bytes(), None),
    "signed before": ((ASSETS / "signed_by_openssl.pdf").read_bytes(), None),
    "certified": ((ASSETS / "certified_form_filling.pdf").read_bytes(), None),
}


@dataclass(frozen=True)
class Case:
    """One file and everything that a verifier looks at."""

    page: str
    citizen: Citizen
    signed_days: int
    now_days: int
    chain: str
    roots: str
    flip: int  # of a byte of the signature, 0 for none

    def certificates(self) -> tuple[bytes, ...]:
        own, issuing = self.citizen.chain
        return {
            "whole": (own, issuing),
            "alone": (own,),
            "another issuer": (own, STRANGER.chain[1]),
            "with a stranger": (own, STRANGER.chain[1], issuing),
            "with the root": (own, issuing, der(ROOT.certificate)),
        }[self.chain]

    def trust_roots(self) -> tuple[bytes, ...]:
        own, other = der(ROOT.certificate), der(OTHER_ROOT.certificate)
        return {
            "own": (own,),
            "another": (other,),
            "both": (other, own),
            "issuer": (self.citizen.chain[1],),
        }[self.roots]


cases = st.builds(
    Case,
    page=st.sampled_from(sorted(PAGES)),
    citizen=st.sampled_from([CITIZENS["content_commitment", 0], *CITIZENS.values()]),
    signed_days=st.sampled_from((0, *DAYS)),
    now_days=st.sampled_from((0, *DAYS)),
    chain=st.sampled_from(("whole", "alone", "another issuer", "with a stranger", "with the root")),
    roots=st.sampled_from(("own", "another", "both", "issuer")),
    flip=st.sampled_from((0, 0, 0, 1, 40, 70)),
)


def finished(case: Case) -> bytes | None:
    """Finish as the signer does; None where it refuses."""
    pdf, appearance = PAGES[case.page]
    certificate = case.citizen.certificate
    prepared = prepare_pdf(
        pdf,
        signer_certificate=certificate,
        signed_at=NOW + timedelta(days=case.signed_days),
        appearance=appearance,
    )
    prepared = PreparedPdf.from_bytes(prepared.to_bytes())
    attributes = signed_attributes(prepared.file_hash, certificate)
    signature = bytearray(case.citizen.sign(attributes))
    signature[case.flip % len(signature)] ^= bool(case.flip)
    try:
        signed = finish_pdf(
            prepared,
            signed_attributes=attributes,
            signature=bytes(signature),
            certificate_chain=case.certificates(),
        )
    except SignerError:
        return None
    roots, now = case.trust_roots(), NOW + timedelta(days=case.now_days)
    reports = verify_pdf(signed, trust_roots=roots, now=now)
    valid = [r for r in reports if isinstance(r, ValidSignature) and r.coverage.whole_file]
    try:
        verify_finished(prepared, case.certificates(), trust_roots=roots, now=now)
    except SignerError:
        assert not valid, "pyHanko accepts what we refuse"
        return None
    assert len(valid) == 1, f"we accept what pyHanko refuses: {reports}"
    return signed


@settings(max_examples=120, deadline=None)
@given(case=cases)
def test_pyhanko_and_the_check_without_it_agree(case: Case) -> None:
    finished(case)


@pytest.mark.parametrize("page", sorted(PAGES))
def test_what_is_right_is_finished_for_every_kind_of_file(page: str) -> None:
    citizen = CITIZENS["content_commitment", 0]
    assert finished(Case(page, citizen, 0, 0, "whole", "own", 0)) is not None


GOOD = CITIZENS["content_commitment", 0]
WRONG = {
    "a time that has not come": Case("by hand", GOOD, 2, 0, "whole", "own", 0),
    "before the certificate": Case("by hand", GOOD, -2, 0, "whole", "own", 0),
    "expired since": Case("by hand", GOOD, 0, 366, "whole", "own", 0),
    "the authority expired since": Case("by hand", GOOD, 0, 2000, "whole", "own", 0),
    "no certificate of the issuer": Case("by hand", GOOD, 0, 0, "alone", "own", 0),
    "another root": Case("by hand", GOOD, 0, 0, "whole", "another", 0),
    "a key for something else": Case(
        "by hand", CITIZENS["digital_signature", 0], 0, 0, "whole", "own", 0
    ),
    "a wrong signature": Case("by hand", GOOD, 0, 0, "whole", "own", 40),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_by_both(case: Case) -> None:
    assert finished(case) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached"),
        (b"/SubFilter", b"/SubFiltre"),
        (b"/M (D", b"/N (D"),
        (b"/M (D\\0722026", b"/M (D\\0722O26"),
        (b"/M (D\\072202611", b"/M (D\\072202613"),
    ],
)
def test_a_signature_of_another_form_is_refused(old: bytes, new: bytes) -> None:
    prepared = prepare_pdf(PAGES["by hand"][0], signer_certificate=GOOD.certificate, signed_at=NOW)
    assert prepared.pdf.count(old, prepared.gap.end) == 1
    before, behind = prepared.pdf[: prepared.gap.end], prepared.pdf[prepared.gap.end :]
    changed = PreparedPdf.from_bytes(before + behind.replace(old, new))
    with pytest.raises(SignerError, match="finished document does not verify"):
        verify_finished(changed, GOOD.chain, trust_roots=GOOD.trust_roots, now=NOW)

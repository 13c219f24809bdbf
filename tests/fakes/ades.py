"""pyHanko's judgement of a seal's level, from what is in the file alone: nothing is fetched."""

from io import BytesIO

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation.ades import (
    ades_basic_validation,
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from signer_core.seals.model import Level


def seal_of(pdf: bytes) -> EmbeddedPdfSignature:
    """Return the one seal of a PDF."""
    (seal,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    return seal


def document_timestamps(pdf: bytes) -> int:
    return len(PdfFileReader(BytesIO(pdf)).embedded_timestamp_signatures)


def has_store(pdf: bytes) -> bool:
    return "/DSS" in PdfFileReader(BytesIO(pdf)).root


async def is_of_level(pdf: bytes, root: bytes, level: Level) -> bool:
    """Tell whether a seal passes as one of this level; from B-LT on without any help."""
    rule = RevocationCheckingRule.NO_CHECK
    if level >= Level.B_LT:
        rule = RevocationCheckingRule.CRL_OR_OCSP_REQUIRED
    spec = _spec(pdf, root, rule)
    seal = seal_of(pdf)
    if level is Level.B_LTA:
        result = await ades_lta_validation(seal, spec)
        stamped = result.oldest_evidence_record_timestamp is not None
        return result.ades_subindic is AdESPassed.OK and stamped and has_store(pdf)
    validate = ades_basic_validation if level is Level.B_B else ades_with_time_validation
    judged = await validate(
        seal.signed_data, spec.signature_validation_spec, raw_digest=seal.compute_digest()
    )
    complete = has_timestamp(pdf) or level is Level.B_B
    return judged.ades_subindic is AdESPassed.OK and complete


def has_timestamp(pdf: bytes) -> bool:
    attributes = seal_of(pdf).signer_info["unsigned_attrs"]
    return [one["type"].native for one in attributes] == ["signature_time_stamp_token"]


def _spec(pdf: bytes, root: bytes, rule: RevocationCheckingRule) -> PdfSignatureValidationSpec:
    knowledge = LocalKnowledge()
    if has_store(pdf):
        store = DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(pdf)))
        answers = [OCSPResponse.load(ref.get_object().data) for ref in store.ocsps]
        knowledge = LocalKnowledge(
            known_certs=list(store.load_certs()),
            known_ocsps=[one for a in answers for one in OCSPContainer.load_multi(a)],
            known_crls=[
                CRLContainer(CertificateList.load(r.get_object().data)) for r in store.crls
            ],
        )
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[x509.Certificate.load(root)]),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
    )
    gathering = RevocationInfoGatheringSpec(
        online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
    )
    return PdfSignatureValidationSpec(
        SignatureValidationSpec(
            policy, revinfo_gathering_policy=gathering, local_knowledge=knowledge
        )
    )

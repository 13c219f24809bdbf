"""Sign a PDF the way the system does, with a plain key in place of the two-party one."""

from datetime import datetime

from signer_core.documents import Appearance, PreparedPdf, finish_pdf, prepare_pdf
from signer_core.documents import signed_attributes as make_attributes
from tests.fakes.citizen import NOW, Citizen


def sign_pdf(
    pdf: bytes,
    citizen: Citizen,
    *,
    appearance: Appearance | None = None,
    signed_at: datetime = NOW,
) -> bytes:
    prepared = prepare_pdf(
        pdf,
        signer_certificate=citizen.certificate,
        signed_at=signed_at,
        appearance=appearance,
    )
    return finish(PreparedPdf.from_bytes(prepared.to_bytes()), citizen)


def finish(prepared: PreparedPdf, citizen: Citizen) -> bytes:
    attributes = make_attributes(prepared.file_hash, citizen.certificate)
    return finish_pdf(
        prepared,
        signed_attributes=attributes,
        signature=citizen.sign(attributes),
        certificate_chain=citizen.chain,
    )

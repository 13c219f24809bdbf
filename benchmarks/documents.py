"""Cost of signing one one-page PDF, ours against pyHanko's one-shot default, on one core.

python -m benchmarks.documents
"""

import asyncio
import time
from collections.abc import Callable
from io import BytesIO
from statistics import median

from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer_core.documents import (
    Appearance,
    finish_pdf,
    prepare_pdf,
    signed_attributes,
    verify_finished,
    verify_pdf,
)
from tests.fakes import handmade
from tests.fakes.citizen import NOW, Citizen

ROUNDS = 40


def cost_ms(work: Callable[[], object]) -> float:
    """CPU time of one call in milliseconds, the median of ROUNDS after a warm-up."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * median(times)


def pyhanko_default(pdf: bytes, citizen: Citizen) -> Callable[[], object]:
    """PAdES B-B as pyHanko does it when nobody tells it how large the signature gets."""
    store = SimpleCertificateStore()
    store.register(Certificate.load(citizen.chain[1]))
    key = citizen.key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signer = SimpleSigner(
        signing_cert=Certificate.load(citizen.certificate),
        signing_key=PrivateKeyInfo.load(key),
        cert_registry=store,
    )
    meta = PdfSignatureMetadata(
        field_name="Signature1", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256"
    )

    def sign() -> object:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        return asyncio.run(PdfSigner(meta, signer).async_sign_pdf(writer, output=BytesIO()))

    return sign


def main() -> None:
    """Print the table."""
    citizen = Citizen.make()
    pdf = handmade.one_page()

    def prepare(appearance: Appearance | None = None) -> Callable[[], object]:
        return lambda: prepare_pdf(
            pdf, signer_certificate=citizen.certificate, signed_at=NOW, appearance=appearance
        )

    prepared = prepare_pdf(pdf, signer_certificate=citizen.certificate, signed_at=NOW)
    attributes = signed_attributes(prepared.file_hash, citizen.certificate)
    signature = citizen.sign(attributes)

    def finish() -> bytes:
        return finish_pdf(
            prepared,
            signed_attributes=attributes,
            signature=signature,
            certificate_chain=citizen.chain,
        )

    signed = finish()
    rows = {
        "pyHanko, one shot, default": cost_ms(pyhanko_default(pdf, citizen)),
        "prepare, invisible": cost_ms(prepare()),
        "signed attributes": cost_ms(
            lambda: signed_attributes(prepared.file_hash, citizen.certificate)
        ),
        "finish": cost_ms(finish),
        "check what was finished": cost_ms(
            lambda: verify_finished(
                prepared, citizen.chain, trust_roots=citizen.trust_roots, now=NOW
            )
        ),
        "prepare, visible": cost_ms(prepare(Appearance())),
        "verify": cost_ms(lambda: verify_pdf(signed, trust_roots=citizen.trust_roots, now=NOW)),
    }
    floor = rows["pyHanko, one shot, default"]
    rows["ours, invisible, together"] = sum(list(rows.values())[1:4])
    for name, value in rows.items():
        print(f"{name:28} {value:8.2f} ms {value / floor:6.2f} x")


if __name__ == "__main__":
    main()

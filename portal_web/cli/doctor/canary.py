"""A made-up person enrols a phone, signs, the signature is verified, the key is revoked.

The phone is the command `signer-phone`, a process of its own in a folder that is deleted at the
end: with it the device share is gone, and the key can never sign again.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.clients.checkup import Row
from grpc_api.clients.signing import FileUpload, NewRequest
from portal_web.cli.connection import System
from signer_core.diagnostics import Finding, Verdict
from signer_core.errors import NotFoundError, SignerError, UnavailableError, VerificationError

PERSON: Final = "kanarka"  # of the sandbox; enrols for nobody else's sake
_PIN: Final = "58312"  # of a person who does not exist
_RELYING_PARTY: Final = "sandbox-notary"
_STEP_LIMIT_S: Final = 60.0
_REVOCATION_ADVICE: Final = "revoke the canary's key by hand, or they pile up"


@dataclass(frozen=True, slots=True)
class Phone:
    """The canary's phone: a folder, and the command."""

    home: Path

    async def run(self, *arguments: str) -> None:
        """Run one command of the phone, with its PIN typed.

        Raises:
            VerificationError: it failed; its last line says why.
            UnavailableError: it did not end in time, or is not installed.
        """
        command = str(Path(sys.executable).parent / "signer-phone")
        try:
            process = await asyncio.create_subprocess_exec(
                *(command, "--home", str(self.home), *arguments, "--pin-stdin"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError:
            raise UnavailableError(f"{command} cannot be run") from None
        try:
            async with asyncio.timeout(_STEP_LIMIT_S):
                _, said = await process.communicate(f"{_PIN}\n".encode())
        except TimeoutError:
            process.kill()
            raise UnavailableError(f"`{arguments[0]}` of the phone hangs") from None
        if process.returncode:
            lines = said.decode("utf-8", "replace").strip().splitlines()
            raise VerificationError(lines[-1] if lines else f"exit code {process.returncode}")


async def run_canary(system: System) -> list[Row]:
    """Do the whole way once; the first step that fails is the finding."""
    with TemporaryDirectory(prefix="canary-") as folder:
        phone = Phone(Path(folder) / "phone")
        began = asyncio.get_running_loop().time()
        try:
            await _enrol(system, phone)
            try:
                signed = await _sign(system, phone)
                _verify(system, signed)
            finally:
                revocation = await _revoke(phone)
        except SignerError as error:
            advice = "repair what is bad above; else look into the logs of signer and vault"
            return [Row("canary", Finding("signature", Verdict.BAD, str(error), advice))]
        took_s = asyncio.get_running_loop().time() - began
    says = f"enrolled, signed and verified in {took_s:.1f} s"
    return [Row("canary", Finding("signature", Verdict.GOOD, says)), Row("canary", revocation)]


async def _enrol(system: System, phone: Phone) -> None:
    async with system.sandbox() as sandbox:
        code = (await sandbox.issue_activation_code(PERSON)).activation_code
    pinned = str(system.home / "public" / "deployment.json")
    await phone.run("enrol", code, "--deployment", pinned, "--yes")


async def _sign(system: System, phone: Phone) -> bytes:
    """Ask for a signature as any portal does; return the signed PDF."""
    async with system.sandbox() as sandbox:
        people = {one.person_id: one for one in await sandbox.people()}
    if PERSON not in people:
        raise NotFoundError(f"the sandbox has no {PERSON}: is the registrar of this version?")
    wanted = NewRequest(
        person_code=people[PERSON].person_code,
        relying_party_id=_RELYING_PARTY,
        purpose="Перевірка системи: підписує вигадана особа",
        idempotency_key=f"canary-{uuid4().hex}",
        files=[FileUpload("canary.pdf", make_pdf())],
    )
    async with system.signing() as signing:
        request_id = await signing.create_request(wanted)
        await phone.run("sign", request_id.hex())
        return await signing.signed_document(request_id, 0)


def _verify(system: System, signed: bytes) -> None:
    """Verify as anybody would, with nothing but the root.

    Raises:
        VerificationError: not exactly one valid signature over the whole file.
    """
    from signer_core.documents import ValidSignature, verify_pdf  # noqa: PLC0415  takes a second

    roots = [_der(system.home / "public" / "root.pem")]
    reports = verify_pdf(signed, trust_roots=roots, now=datetime.now(UTC))
    valid = [one for one in reports if isinstance(one, ValidSignature)]
    if len(reports) != 1 or len(valid) != 1 or not valid[0].coverage.whole_file:
        raise VerificationError("the canary's document is not signed validly")


async def _revoke(phone: Phone) -> Finding:
    try:
        await phone.run("revoke")
    except SignerError as error:
        says = f"the canary's key was not revoked: {error}"
        return Finding("revocation", Verdict.WARNING, says, _REVOCATION_ADVICE)
    return Finding("revocation", Verdict.GOOD, "the canary's key is revoked, its phone deleted")


def _der(root: Path) -> bytes:
    return x509.load_pem_x509_certificate(root.read_bytes()).public_bytes(Encoding.DER)


def make_pdf() -> bytes:
    """Make the smallest PDF: one empty page."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
    )
    pdf, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 4\n0000000000 65535 f \n" + rows
    trailer = b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(pdf)
    return pdf + table + trailer

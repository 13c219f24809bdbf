"""How a document of somebody else leaves this process: a PDF to be read, all others to be saved."""

from typing import Final
from urllib.parse import quote

from fastapi.responses import Response

from mobile_share.requests import FileToSign

_PDF: Final = "application/pdf"
_ANY: Final = "application/octet-stream"  # no browser shows or runs it


def opens(file: FileToSign) -> bool:
    """Tell whether a browser shows it: a PDF only, by its own reader, which is not our page."""
    return file.content.startswith(b"%PDF-")


def document_response(file: FileToSign) -> Response:
    """Answer with a document whose hash was checked, whatever type the partner names."""
    word, media_type = ("inline", _PDF) if opens(file) else ("attachment", _ANY)
    name = quote(file.name, safe="")  # RFC 6266: any alphabet, and nothing that ends a header
    headers = {"Content-Disposition": f"{word}; filename*=UTF-8''{name}"}
    return Response(file.content, media_type=media_type, headers=headers)

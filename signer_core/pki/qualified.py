"""Two extensions `cryptography` has no class for: a person's attributes, qualified statements."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal

from asn1crypto import core
from cryptography import x509

from signer_core.pki.country import QcStatement

_DIRECTORY_ATTRIBUTES: Final = x509.ObjectIdentifier("2.5.29.9")  # RFC 5280 §4.2.1.8
_QC_STATEMENTS: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")  # RFC 3739 §3.2.6
Statement = QcStatement | Literal["type-eseal"]
_QC_IDENTIFIERS: Final[dict[Statement, str]] = {  # ETSI EN 319 412-5 annex B
    "compliance": "0.4.0.1862.1.1",
    "sscd": "0.4.0.1862.1.4",
    "type-esign": "0.4.0.1862.1.6",
    "type-eseal": "0.4.0.1862.1.6",
}
_QC_TYPES: Final[dict[Statement, str]] = {
    "type-esign": "0.4.0.1862.1.6.1",
    "type-eseal": "0.4.0.1862.1.6.2",
}


class _Values(core.SetOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = core.PrintableString


class _Attribute(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    _fields: ClassVar[list[Any]] = [("type", core.ObjectIdentifier), ("values", _Values)]


class _Attributes(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = _Attribute


class _Types(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = core.ObjectIdentifier


class _Statement(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    _fields: ClassVar[list[Any]] = [
        ("id", core.ObjectIdentifier),
        ("info", _Types, {"optional": True}),
    ]


class _Statements(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
    _child_spec = _Statement


def directory_attribute(oid: str, value: str) -> x509.UnrecognizedExtension:
    """Return subjectDirectoryAttributes with one attribute, a PrintableString."""
    attributes = _Attributes([{"type": oid, "values": [value]}])
    return x509.UnrecognizedExtension(_DIRECTORY_ATTRIBUTES, attributes.dump())


def find_directory_value(certificate: x509.Certificate) -> str | None:
    """Return the value in a certificate's subjectDirectoryAttributes, None if there is not one."""
    try:
        found = certificate.extensions.get_extension_for_oid(_DIRECTORY_ATTRIBUTES)
        attributes = _Attributes.load(found.value.public_bytes()).native
    except (x509.ExtensionNotFound, ValueError):
        return None
    values = [value for attribute in attributes for value in attribute["values"]]
    return str(values[0]) if len(values) == 1 else None


def qc_statements(statements: Iterable[Statement]) -> x509.UnrecognizedExtension:
    """Return qcStatements, in the order of their identifiers."""
    chosen: list[dict[str, object]] = [
        {"id": _QC_IDENTIFIERS[name]} | ({"info": [_QC_TYPES[name]]} if name in _QC_TYPES else {})
        for name in sorted(statements, key=lambda name: _QC_IDENTIFIERS[name])
    ]
    return x509.UnrecognizedExtension(_QC_STATEMENTS, _Statements(chosen).dump())

"""Connections of a phone to its signer, over what it pinned."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_api.clients.emergency import EmergencyClient
from grpc_api.clients.phone import EnrolmentClient, PhoneClient
from mobile_share import ports
from mobile_share.deployment import Deployment
from mobile_share.phone import Phone


@asynccontextmanager
async def signer_client(phone: Phone) -> AsyncIterator[ports.SignerClient]:
    """Connect with the device certificate.

    Raises:
        NotEnrolledError: there is none yet.
    """
    pinned = phone.deployment
    root = pinned.root_pem.encode("ascii")
    client = PhoneClient.at(pinned.phone_address, pinned.server_name, phone.identity(), root)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def enrolment_client(deployment: Deployment) -> AsyncIterator[ports.EnrolmentClient]:
    """Connect without a certificate, to enrol."""
    client = EnrolmentClient.at(
        deployment.enrolment_address, deployment.server_name, deployment.root_pem.encode("ascii")
    )
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def emergency_client(deployment: Deployment) -> AsyncIterator[ports.EmergencyClient]:
    """Connect without a certificate, to suspend a key by its code."""
    client = EmergencyClient.at(
        deployment.enrolment_address, deployment.server_name, deployment.root_pem.encode("ascii")
    )
    try:
        yield client
    finally:
        await client.close()

"""Which addresses a partner's name may lead to."""

import pytest

from grpc_api.jobs.addresses import Reach, RefusedAddressError, verify_addresses

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2a00:1450::1"]
INTERNAL = [
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.9",
    "100.64.0.1",
    "fd00:ec2::254",
    "127.0.0.1",
    "::1",
]
NEVER = [
    "0.0.0.0",
    "::",
    "169.254.169.254",
    "fe80::1",
    "fe80::1%2",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.215.14",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "2001:0:a00:1::1",
]
NOT_PUBLIC = [
    "0.1.2.3",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "100::1",
    "fec0::1",
    "4000::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_within_reach(address):
    assert verify_addresses([address], Reach.PUBLIC) == [address]
    assert verify_addresses([address], Reach.INTERNAL) == [address]


@pytest.mark.parametrize("address", INTERNAL + NEVER + NOT_PUBLIC)
def test_what_is_not_public_is_refused(address):
    with pytest.raises(RefusedAddressError, match="does not lead to a public address"):
        verify_addresses([address], Reach.PUBLIC)


@pytest.mark.parametrize("address", INTERNAL)
def test_the_sandbox_reaches_its_own_networks(address):
    assert verify_addresses([address], Reach.INTERNAL) == [address]


@pytest.mark.parametrize("address", NEVER)
def test_what_is_no_single_machine_is_refused_in_the_sandbox_too(address):
    with pytest.raises(RefusedAddressError):
        verify_addresses([address], Reach.INTERNAL)


def test_loopback_is_this_machine_and_nothing_else():
    assert verify_addresses(["127.8.9.1", "::1"], Reach.LOOPBACK) == ["127.8.9.1", "::1"]
    for address in (*PUBLIC, "10.1.2.3", "::ffff:127.0.0.1"):
        with pytest.raises(RefusedAddressError, match="does not lead to this machine"):
            verify_addresses([address], Reach.LOOPBACK)


def test_one_address_out_of_reach_refuses_all_and_so_does_none():
    for answer in ([*PUBLIC, "10.1.2.3"], ["10.1.2.3", *PUBLIC], [], ["partner.example"], [""]):
        with pytest.raises(RefusedAddressError):
            verify_addresses(answer, Reach.PUBLIC)

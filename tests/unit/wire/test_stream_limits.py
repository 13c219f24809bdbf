"""Phones that wait for their PIN hold a stream each, all over one connection to the vault."""

from grpc_api.server_options import INTERNAL_SERVER_OPTIONS, SERVER_OPTIONS


def test_a_signer_can_hold_a_thousand_streams_to_the_vault_on_one_connection() -> None:
    assert dict(INTERNAL_SERVER_OPTIONS)["grpc.max_concurrent_streams"] > 1000


def test_a_phone_cannot_open_a_thousand_streams_on_one_connection() -> None:
    assert dict(SERVER_OPTIONS)["grpc.max_concurrent_streams"] == 256

"""The device's half: share file, PIN, flows of enrolment and signing, and the CLI `signer-phone`.

It imports the protocol's device side and the clients of `grpc_api`; never vault or signer code.
"""

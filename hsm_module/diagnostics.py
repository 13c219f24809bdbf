"""What the vault finds when it examines itself: the checks of every process, and the token."""

from hsm_module.token.hsm_token import HsmToken
from signer_core.diagnostics import Finding, Verdict


async def check_token(token: HsmToken) -> Finding:
    """Use every key of the token: sign and verify, unwrap a known blob, compare a known MAC.

    Raises:
        TokenFaultError: a key is not the one of the ceremony; the vault then ends.
    """
    keys = await token.self_test()
    says = f"{keys} keys sign, decrypt and authenticate as at the ceremony"
    return Finding("token", Verdict.GOOD, says)

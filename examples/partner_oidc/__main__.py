"""Run it: `python -m examples.partner_oidc --client-id ID --client-secret-file FILE`."""

import argparse
from pathlib import Path

import uvicorn

from examples.partner_oidc.site import Settings, make_site


def main() -> None:
    """Serve on loopback until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.partner_oidc", description=__doc__)
    parser.add_argument("--issuer", default="http://127.0.0.1:7440", help="address of the portal")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret-file", type=Path, required=True)
    parser.add_argument("--root", type=Path, default=Path("var/public/root.pem"))
    parser.add_argument("--port", type=int, default=8080, help="the return address has it, too")
    given = parser.parse_args()
    secret = given.client_secret_file.read_text().strip()
    site = make_site(Settings(given.issuer, given.client_id, secret, given.root))
    uvicorn.run(site, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()

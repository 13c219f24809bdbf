"""`make down`: stop a system that another terminal started, or that a killed one left."""

import sys

from deploy import supervision, terminal
from deploy.home import REPOSITORY, Home
from deploy.terminal import console


def main() -> None:
    """Stop the system of this checkout, if it runs."""
    supervisor = supervision.connect(Home(REPOSITORY / "var"))
    console.print("nothing runs" if supervisor.pid() is None else "stopping")
    supervisor.stop()


if __name__ == "__main__":
    sys.exit(terminal.run(main))

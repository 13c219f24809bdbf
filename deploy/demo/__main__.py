"""`make demo`: python -m deploy.demo FILE."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.markup import escape

from deploy import terminal
from deploy.demo import checks, unpacked
from deploy.demo.commands import Caller, DemoPhone
from deploy.home import REPOSITORY, Home
from deploy.supervision import StartError
from deploy.system import System, running
from deploy.terminal import Story, console
from grpc_api.clients.registrar import SandboxPerson

OUT = REPOSITORY / "demo-out"
PIN = "58312"  # of a person who does not exist
_MARKS = {True: "[green]passed[/]", False: "[red]FAILED[/]", None: "[yellow]absent[/]"}


def main() -> None:
    """Enrol a made-up person and sign the PDF named on the command line."""
    document = _document(sys.argv[1:])
    story = Story()
    with running(Home(REPOSITORY / "var"), story.tell) as system:
        _introduce(system, story)
        _sign(system, document, story)
        verdicts = _verify(system, story)
    _conclude(verdicts, story)


def _document(arguments: list[str]) -> Path:
    document = Path(arguments[0]) if arguments else REPOSITORY / "examples/contract/contract.pdf"
    if not document.is_file():
        raise StartError(f"there is no file {document}: make demo PDF=path")
    return document.resolve()


def _introduce(system: System, story: Story) -> None:
    pids = [f"{one.name} (pid {one.pid})" for one in system.supervisor.find_processes()]
    story.tell(f"serving: {', '.join(sorted(pids))}")


def _sign(system: System, document: Path, story: Story) -> None:
    caller = Caller(system.home)
    person = caller.find_person("approves")
    phone = _enrol(system.home, caller, person, story)
    OUT.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=OUT) as folder:
        with caller.asking(person, document, Path(folder)) as request_id:
            story.tell(f"a notary asks for a signature on {document.name}: request {request_id}")
            story.quote(phone.sign(request_id))
            story.tell("signed: the PIN was typed, both shares signed, the request is used up")
        (signed,) = Path(folder).iterdir()
        signed.replace(OUT / "signed.pdf")


def _enrol(home: Home, caller: Caller, person: SandboxPerson, story: Story) -> DemoPhone:
    folder = home.of("demo-phone")
    shutil.rmtree(folder, ignore_errors=True)  # the phone of the demonstration before
    phone = DemoPhone(folder, PIN)
    code = caller.issue_activation_code(person)
    story.tell(f"{person.full_name_uk} (made up) has the activation code {code}")
    story.quote(phone.enrol(code, home.deployment))
    story.tell("enrolled: one share on the phone, one in the vault, the whole key nowhere")
    return phone


def _verify(system: System, story: Story) -> list[checks.Verdict]:
    home = system.home
    chain = (home.public / "ca-chain.pem").read_bytes() + (home.public / "root.pem").read_bytes()
    unpacked.write(OUT, unpacked.unpack((OUT / "signed.pdf").read_bytes()), chain)
    story.tell("verifying, with our own command and with other people's")
    ours = Caller(home).verify(OUT / "signed.pdf")
    verdicts = [
        checks.Verdict("signer verify", ours.returncode == 0, "", ours.stdout + ours.stderr),
        *checks.check_all(OUT),
        *checks.check_status(OUT, f"http://127.0.0.1:{system.ports['portal']}"),
    ]
    report = "\n".join(f"## {one.tool}\n{one.output or one.says}\n" for one in verdicts)
    (OUT / "verify.txt").write_text(report)
    return verdicts


def _conclude(verdicts: list[checks.Verdict], story: Story) -> None:
    story.quote(verdicts[0].output)
    for verdict in verdicts:
        line = f"  {_MARKS[verdict.passed]}  {verdict.tool:<28}  {escape(verdict.says)}"
        console.print(line, soft_wrap=True)
    if any(verdict.passed is False for verdict in verdicts):
        raise StartError(f"a check failed: see {OUT / 'verify.txt'}")
    names = ", ".join(sorted(file.name for file in OUT.iterdir()))
    story.tell(f"done. In demo-out/: {names}")


if __name__ == "__main__":
    sys.exit(terminal.run(main))

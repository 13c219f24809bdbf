"""Jobs: tried until they work, once each, given up at last; mail and webhook to real servers."""

import asyncio
import hashlib
import hmac
import json

import pytest

from grpc_api.jobs.kinds import GiveUpError, TryLaterError
from grpc_api.jobs.mail import AlertMail
from grpc_api.jobs.runner import JobRunner
from grpc_api.jobs.settings import MailSettings, WebhookSettings
from grpc_api.jobs.webhook import SIGNATURE, AlertWebhook, check_url
from signer_core.errors import InvalidRequestError, NotFoundError
from tests.fixtures.postgres import connect

JOB = "ab" * 16
ROW = json.dumps({"seq": 7, "event": "row-altered", "result": "refused", "reason": "keys"}).encode()


class Jobs:
    """A runner, what it was asked to do, and what it reported."""

    def __init__(self, url):
        self.url = url
        self.done, self.reports = [], []
        self.failures = 0
        self.error = TryLaterError("the other side is away")
        self.runner = None

    async def work(self, job_id, body):
        self.done.append((job_id, body))
        if self.failures:
            self.failures -= 1
            raise self.error

    async def report(self, job_id, delivered):
        self.reports.append((job_id, delivered))

    def start(self):
        kinds = {"test": self.work}
        self.runner = JobRunner(self.url, kinds, self.report, tries=3, pause_s=0.02)
        self.runner.start()

    async def stop(self):
        await asyncio.to_thread(self.runner.stop)

    async def reported(self, count=1):
        async with asyncio.timeout(60):
            while len(self.reports) < count:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # the workflow's own end comes after its report


@pytest.fixture
async def jobs(make_database, backend):
    made = Jobs(await make_database(None))
    if backend == "postgresql":  # databases of the tests are used again; the jobs' schema is theirs
        connection = await connect(made.url)
        await connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        await connection.close()
    made.start()
    yield made
    await made.stop()


async def test_a_job_is_done_once_however_often_it_is_accepted(jobs):
    for _ in range(3):
        await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.reported()
    assert (jobs.done, jobs.reports) == ([(JOB, b"{}")], [(JOB, True)])
    assert list(await jobs.runner.dead_letters(10)) == []


async def test_what_fails_is_tried_again_with_the_same_id_and_bytes(jobs):
    jobs.failures = 2
    await jobs.runner.accept(JOB, "test", b'{"a": 1}')
    await jobs.reported()
    assert (jobs.done, jobs.reports) == ([(JOB, b'{"a": 1}')] * 3, [(JOB, True)])


async def test_what_fails_every_time_is_a_dead_letter_that_can_be_replayed(jobs):
    jobs.failures = 3
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.reported()
    assert jobs.reports == [(JOB, False)]
    (letter,) = await jobs.runner.dead_letters(10)
    assert (letter.job_id, letter.kind, letter.reason) == (JOB, "test", "the other side is away")
    await jobs.runner.replay(JOB)
    await jobs.reported(2)
    assert jobs.reports[-1] == (JOB, True)
    assert list(await jobs.runner.dead_letters(10)) == []
    with pytest.raises(NotFoundError):
        await jobs.runner.replay(JOB)


async def test_what_can_never_work_is_not_tried_again(jobs):
    jobs.failures, jobs.error = 5, GiveUpError("the receiver is gone for ever")
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.runner.accept("cd" * 16, "no such kind", b"{}")
    await jobs.reported(2)
    assert len(jobs.done) == 1
    reasons = {letter.reason for letter in await jobs.runner.dead_letters(10)}
    assert reasons == {"the receiver is gone for ever", "there is no such kind of job"}


def test_pauses_grow_are_spread_and_the_same_for_a_job():
    runner = object.__new__(JobRunner)
    runner._pause_s = 2.0
    pauses = [runner._pause(JOB, number) for number in range(14)]
    assert pauses == [runner._pause(JOB, number) for number in range(14)]
    for number, pause in enumerate(pauses):
        base = min(2.0 * 2**number, 3600)
        assert base <= pause <= base * 1.5
    assert len({runner._pause(f"{job:032x}", 3) for job in range(20)}) > 10


def mail_settings(port):
    return MailSettings(
        server=f"127.0.0.1:{port}",
        starttls=False,
        sender="signer@example.org",
        recipients=("duty@example.org",),
    )


async def test_an_alert_goes_out_by_mail(mail_server):
    await AlertMail(mail_settings(mail_server.port))(JOB, ROW)
    (mail,) = mail_server.mails
    text = mail.content.decode()
    assert mail.rcpt_tos == ["duty@example.org"]
    assert "Subject: [diia-signer] row-altered refused keys" in text
    assert f"Message-ID: <{JOB}@diia-signer>" in text
    assert "seq: 7" in text


@pytest.mark.parametrize(
    ("answer", "error"), [("451 later", TryLaterError), ("554 no", GiveUpError)]
)
async def test_a_mail_server_that_says_no(mail_server, answer, error):
    mail_server.answer = answer
    with pytest.raises(error, match=f"mail server says {answer[:3]}"):
        await AlertMail(mail_settings(mail_server.port))(JOB, ROW)


async def test_a_mail_server_that_is_away():
    with pytest.raises(TryLaterError, match="does not answer"):
        await AlertMail(mail_settings(1))(JOB, ROW)


def webhook(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    url = f"http://127.0.0.1:{server.server_port}/alerts"
    return AlertWebhook(WebhookSettings(url=url, secret_file=secret))


async def test_an_alert_goes_out_by_webhook_signed(web_server, tmp_path):
    await webhook(web_server, tmp_path)(JOB, ROW)
    ((headers, body),) = web_server.received
    expected = hmac.new(b"s3cret", ROW, hashlib.sha256).hexdigest()
    assert (body, headers[SIGNATURE]) == (ROW, f"sha256={expected}")
    assert headers["Idempotency-Key"] == JOB


@pytest.mark.parametrize("status", [302, 404, 503])
async def test_a_webhook_that_does_not_take_it_is_tried_later(web_server, tmp_path, status):
    web_server.answers[0] = status
    with pytest.raises(TryLaterError, match=f"says {status}"):
        await webhook(web_server, tmp_path)(JOB, ROW)
    assert len(web_server.received) == 1  # a redirection is not followed


async def test_a_webhook_that_is_away_is_tried_later():
    with pytest.raises(TryLaterError, match="does not answer"):
        await AlertWebhook(WebhookSettings(url="http://127.0.0.1:1/"))(JOB, ROW)


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://127.0.0.1/", "file:///etc/passwd"])
def test_alerts_never_go_in_clear_over_a_network(url):
    with pytest.raises(InvalidRequestError, match="https"):
        check_url(url)
    check_url("https://example.org/")
    check_url("http://127.0.0.1:8080/")

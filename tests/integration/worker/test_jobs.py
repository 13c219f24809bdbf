"""Jobs: tried until they work, once each, given up at last; mail and webhook to real servers."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from dbos import DBOS

from grpc_api.jobs import runner
from grpc_api.jobs.kinds import CALLBACK, GiveUpError, TryLaterError
from grpc_api.jobs.mail import AlertMail
from grpc_api.jobs.runner import AT_ONCE, GivenUpError, JobRunner, Patience
from grpc_api.jobs.settings import MailSettings, WebhookSettings
from grpc_api.jobs.webhook import SIGNATURE, AlertWebhook, check_url
from signer_core.errors import InvalidRequestError, UnavailableError
from tests.fixtures.postgres import connect

JOB = "ab" * 16
ROW = json.dumps({"seq": 7, "event": "row-altered", "result": "refused", "reason": "keys"}).encode()


class Jobs:
    """A runner, what it was asked to do, and what it reported."""

    def __init__(self, url):
        self.url, self.whole_s = url, 60.0
        self.done, self.reports = [], []
        self.failures = self.deaf = self.hanging = 0
        self.error = TryLaterError("the other side is away")
        self.runner = None

    async def hang(self, job_id, body):
        self.hanging += 1
        await asyncio.sleep(600)

    async def work(self, job_id, body):
        self.done.append((job_id, body))
        if self.failures:
            self.failures -= 1
            raise self.error

    async def report(self, job_id, reason):
        if self.deaf:
            self.deaf -= 1
            raise UnavailableError("the signer is away")
        self.reports.append((job_id, reason))

    async def start(self):
        self.kinds = {"test": self.work, "hang": self.hang}
        patience = Patience(first_pause_s=0.02, whole_s=self.whole_s)
        self.runner = JobRunner(self.url, self.kinds, self.report, patience)
        await self.runner.start()

    async def stop(self):
        await asyncio.to_thread(self.runner.stop)

    async def reported(self, count=1):
        async with asyncio.timeout(60):
            while len(self.reports) < count:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # the workflow's own end comes after its report


class Simulated:
    """What a runner would do over a day, without waiting."""

    async def until_the_end(self, job_id, clock):
        made, tries, told = object.__new__(JobRunner), [], []
        made._patience = Patience(first_pause_s=2.0, whole_s=86_400)
        made._kinds, due = {"test": self.fail}, [(0.0, 0)]
        until_s = clock[0] + 86_400

        async def enqueue(delay_s, *job):
            due.append((delay_s, job[3]))

        async def tell(_, reason):
            told.append(reason)

        made._enqueue, made._tell = enqueue, tell
        made._here = lambda work: work
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runner.time, "time", lambda: clock[0])
            while due:
                delay_s, number = due.pop()
                clock[0] += delay_s
                tries.append(clock[0])
                with contextlib.suppress(GivenUpError):
                    await made._job(job_id, "test", "{}", number, until_s)
        assert told == ["still away"]
        return tries

    async def fail(self, *_):
        raise TryLaterError("still away")


@pytest.fixture
async def jobs(make_database, backend):
    made = Jobs(await make_database(None))
    if backend == "postgresql":  # databases of the tests are used again; the jobs' schema is theirs
        connection = await connect(made.url)
        await connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        await connection.close()
    await made.start()
    yield made
    await made.stop()


async def test_a_job_is_done_once_however_often_it_is_accepted(jobs):
    for _ in range(3):
        await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.reported()
    assert (jobs.done, jobs.reports) == ([(JOB, b"{}")], [(JOB, "")])
    assert list(await jobs.runner.dead_letters(10)) == []


async def test_what_fails_is_tried_again_with_the_same_id_and_bytes(jobs):
    jobs.failures = 2
    await jobs.runner.accept(JOB, "test", b'{"a": 1}')
    await jobs.reported()
    assert (jobs.done, jobs.reports) == ([(JOB, b'{"a": 1}')] * 3, [(JOB, "")])


async def test_what_fails_until_its_time_is_up_is_a_dead_letter_that_can_be_replayed(jobs):
    jobs.runner._patience = Patience(first_pause_s=0.02, whole_s=0.0)
    jobs.failures = 1
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.reported()
    assert jobs.reports == [(JOB, "the other side is away")]
    (letter,) = await jobs.runner.dead_letters(10)
    assert (letter.job_id, letter.kind, letter.reason) == (JOB, "test", "the other side is away")
    await jobs.runner.accept(JOB, "test", b"{}")  # by itself nothing begins anew
    await jobs.runner.accept(JOB, "test", b"{}", again=True)
    await jobs.reported(2)
    assert (len(jobs.done), jobs.reports[-1]) == (2, (JOB, ""))
    assert list(await jobs.runner.dead_letters(10)) == []


async def test_what_can_never_work_is_not_tried_again(jobs):
    jobs.failures, jobs.error = 5, GiveUpError("the receiver is gone for ever")
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.runner.accept("cd" * 16, "no such kind", b"{}")
    await jobs.reported(2)
    assert len(jobs.done) == 1
    reasons = {letter.reason for letter in await jobs.runner.dead_letters(10)}
    assert reasons == {"the receiver is gone for ever", "there is no such kind of job"}


async def test_an_end_is_told_until_it_is_heard(jobs, monkeypatch):
    monkeypatch.setattr(runner, "_REPORT_PAUSE_S", 0.05)
    jobs.deaf = 3
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.reported()
    assert (jobs.deaf, jobs.reports, len(jobs.done)) == (0, [(JOB, "")], 1)


async def test_a_lane_that_hangs_holds_up_no_other(jobs):
    for number in range(3 * AT_ONCE):
        await jobs.runner.accept(f"{number:032x}", "hang", b"{}")
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.reported()
    await asyncio.sleep(1)
    assert jobs.hanging == AT_ONCE


async def test_a_dead_partner_holds_up_no_other(jobs):
    dead, living = b'{"partner_id": "dead"}', b'{"partner_id": "bank"}'

    async def post(job_id, body):
        await (jobs.hang if body == dead else jobs.work)(job_id, body)

    jobs.kinds[CALLBACK] = post
    for number in range(3 * AT_ONCE):
        await jobs.runner.accept(f"{number:032x}", CALLBACK, dead)
    for number in range(2 * AT_ONCE):
        await jobs.runner.accept(f"{number:031x}f", CALLBACK, living)
    await jobs.reported(2 * AT_ONCE)
    assert (jobs.hanging, {body for _, body in jobs.done}) == (AT_ONCE, {living})


async def test_a_runner_that_stops_in_a_try_does_it_again(jobs):
    await jobs.runner.accept(JOB, "hang", b"{}")
    async with asyncio.timeout(60):
        while not jobs.hanging:
            await asyncio.sleep(0.02)
    await jobs.stop()
    jobs.hang = jobs.work
    await jobs.start()
    await jobs.reported()
    assert (jobs.done, jobs.reports) == ([(JOB, b"{}")], [(JOB, "")])


async def test_what_ended_long_ago_is_forgotten(jobs):
    await jobs.runner.accept(JOB, "test", b"{}")
    await jobs.runner.accept("cd" * 16, "no such kind", b"{}")
    await jobs.reported(2)
    await jobs.runner.sweep(datetime.now(UTC) + timedelta(hours=23))
    assert len(await DBOS.list_workflows_async()) == 2
    await jobs.runner.sweep(datetime.now(UTC) + timedelta(hours=25))
    assert len(await jobs.runner.dead_letters(10)) == len(await DBOS.list_workflows_async()) == 1
    await jobs.runner.sweep(datetime.now(UTC) + timedelta(days=31))
    assert await DBOS.list_workflows_async() == []


def test_pauses_grow_are_spread_and_the_same_for_a_job():
    patience = Patience(first_pause_s=2.0, whole_s=86_400)
    pauses = [patience.pause_s(JOB, number) for number in range(40)]
    assert pauses == [patience.pause_s(JOB, number) for number in range(40)]
    for number, pause in enumerate(pauses):
        base = min(2.0 * 2**number, 3600)
        assert base <= pause <= base * 1.5
    assert len({patience.pause_s(f"{job:032x}", 3) for job in range(20)}) > 10


@pytest.mark.parametrize("job", range(20))
def test_a_job_is_tried_over_a_whole_day_and_no_longer(job):
    jobs, clock = Simulated(), [1_000_000.0]
    tries = asyncio.run(jobs.until_the_end(f"{job:032x}", clock))
    assert 26 <= len(tries) <= 36
    assert tries[1] - tries[0] <= 3
    assert 86_400 - 1.5 * 3600 <= tries[-1] - tries[0] <= 86_400


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

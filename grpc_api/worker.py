"""The worker process: takes the signer's jobs and carries them out; the only one that calls out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import grpc
import structlog
from sqlalchemy.exc import SQLAlchemyError

from grpc_api.clients.callbacks import CallbacksClient
from grpc_api.clients.outbox import OutboxClient, WaitingJob
from grpc_api.credentials import internal_channel, internal_server_credentials
from grpc_api.diagnostics import check_certificate, check_disk
from grpc_api.jobs.callback import PostCallback
from grpc_api.jobs.kinds import CALLBACK, Kinds, Work
from grpc_api.jobs.mail import AlertMail
from grpc_api.jobs.posting import Poster, Trust
from grpc_api.jobs.runner import JobRunner, Patience
from grpc_api.jobs.seal_repair import SealRepair
from grpc_api.jobs.settings import WorkerSettings
from grpc_api.jobs.webhook import AlertWebhook, check_url
from grpc_api.logs import configure_logs
from grpc_api.process_certificate import ask_vault, renewing
from grpc_api.server import (
    add_health_and_reflection,
    listen,
    make_internal_server,
    serve_until_stopped,
)
from grpc_api.servers import diagnostics
from grpc_api.servers.diagnostics import add_diagnostics
from grpc_api.settings import load_settings
from grpc_api.telemetry import telemetry
from signer_core.audit.alarms import ALERT_KINDS
from signer_core.diagnostics import Examination, Finding, Verdict, examine
from signer_core.errors import SignerError
from signer_core.storage.inspection import database_folder

_BATCH: Final = 64
_PAUSE_S: Final = 0.5
_RETRY_S: Final = 2.0
_SWEEP_S: Final = 3600.0

_log = structlog.get_logger(__name__)


def run(config: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        InvalidRequestError: the settings, or a file they name, are not what they must be.
        UnavailableError: the address cannot be used.
    """
    settings = load_settings(WorkerSettings, config)
    if settings.webhook.url:
        check_url(settings.webhook.url)
    configure_logs("worker", settings.log_file)
    with telemetry("worker", settings.metrics_listen, settings.otlp_endpoint):
        asyncio.run(_serve(settings))


async def _serve(settings: WorkerSettings) -> None:
    async with working(settings) as runner:
        server = make_internal_server(settings.callers)
        add_diagnostics(server, lambda: _examine(settings, runner))
        health = await add_health_and_reflection(server, (diagnostics.SERVICE,))
        listen(server, settings.listen, internal_server_credentials(settings.tls))
        async with renewing(settings.tls, ask_vault(settings.tls)):
            await serve_until_stopped([server], health)


@asynccontextmanager
async def working(settings: WorkerSettings) -> AsyncIterator[JobRunner]:
    """Take and run jobs while the block runs."""
    channel = internal_channel(settings.signer_address, "signer.internal", settings.tls)
    async with channel, _poster(settings) as poster:
        outbox, known = OutboxClient(channel), kinds(settings, channel, poster)
        patience = Patience(settings.first_pause_s, settings.patience_s)
        runner = JobRunner(settings.database_url, known, outbox.report, patience)
        await runner.start()
        tasks = {
            asyncio.create_task(_pull(outbox, runner, known)),
            asyncio.create_task(_sweep(runner)),
        }
        try:
            yield runner
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.to_thread(runner.stop)


@asynccontextmanager
async def _poster(settings: WorkerSettings) -> AsyncIterator[Poster]:
    chosen = settings.callbacks
    trust = Trust(
        chosen.ca_file, chosen.client_cert, chosen.client_key, allow_private=chosen.allow_private
    )
    poster = Poster(trust)
    try:
        yield poster
    finally:
        await poster.close()


def kinds(settings: WorkerSettings, channel: grpc.aio.Channel, poster: Poster) -> Kinds:
    """Return what each kind of job does, without alerts that are not configured."""
    known: dict[str, Work] = {
        "seal.repair": SealRepair(channel),
        CALLBACK: PostCallback(CallbacksClient(channel), poster),
    }
    if settings.mail.server:
        known["alert.mail"] = AlertMail(settings.mail)
    if settings.webhook.url:
        known["alert.webhook"] = AlertWebhook(settings.webhook)
    return known


async def _pull(outbox: OutboxClient, runner: JobRunner, known: Kinds) -> None:
    """Take jobs over: stored here first, then acknowledged there; no alerts nobody configured."""
    while True:
        try:
            jobs = await outbox.fetch(_BATCH)
            wanted = [one for one in jobs if one.kind in known or one.kind not in ALERT_KINDS]
            await asyncio.gather(*(_accept(runner, one) for one in wanted))
            if jobs:
                await outbox.acknowledge([one.job_id for one in jobs])
        except SignerError as error:
            _log.info("jobs-not-fetched", code=error.code)
            await asyncio.sleep(_RETRY_S)
        except SQLAlchemyError:  # our own database: what was not acknowledged comes again
            _log.warning("jobs-not-taken")
            await asyncio.sleep(_RETRY_S)
        else:
            await asyncio.sleep(0 if len(jobs) == _BATCH else _PAUSE_S)


async def _accept(runner: JobRunner, job: WaitingJob) -> None:
    await runner.accept(job.job_id, job.kind, job.body, again=job.again)


async def _sweep(runner: JobRunner) -> None:
    while True:
        with suppress(SQLAlchemyError):  # the next hour is as good
            await runner.sweep(datetime.now(UTC))
        await asyncio.sleep(_SWEEP_S)


async def _examine(settings: WorkerSettings, runner: JobRunner) -> Examination:
    folder = database_folder(settings.database_url) or Path.cwd()
    now = datetime.now(UTC)
    findings = await examine(
        {
            "disk": asyncio.to_thread(check_disk, folder),
            "certificate": asyncio.to_thread(check_certificate, settings.tls.cert, now),
            "dead-letters": _check_letters(runner),
            "alerts": _check_alerts(settings),
        }
    )
    now_ms = int(now.timestamp() * 1000)
    return Examination("worker", version("diia-signer"), now_ms, findings)


async def _check_letters(runner: JobRunner) -> Finding:
    letters = await runner.dead_letters(100)
    if not letters:
        return Finding("dead-letters", Verdict.GOOD, "no job was given up")
    advice = "repair what the reason names, then `signer-keys deadletter replay`"
    says = f"{len(letters)} jobs were given up; the last: {letters[0].reason}"
    return Finding("dead-letters", Verdict.WARNING, says, advice)


async def _check_alerts(settings: WorkerSettings) -> Finding:
    if settings.mail.server or settings.webhook.url:
        return Finding("alerts", Verdict.GOOD, "alerts go out")
    says = "alerts go nowhere: [mail] and [webhook] of the worker's settings are empty"
    return Finding("alerts", Verdict.GOOD, says)  # right where one works alone, on one machine

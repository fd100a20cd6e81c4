"""Who is told: the log at once, webhooks from a queue of their own that is retried and never holds anybody up."""

from __future__ import annotations

import logging
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.protocols import AlertSink
from drivetrain.core.records import Alert
from drivetrain.monitor.finding import SEVERITIES
from drivetrain.monitor.spec import Webhook

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}
_LONGEST_WAIT = 60.0
_log = logging.getLogger("drivetrain.alerts")


class LogSink:
    """Writes alerts to the log ``drivetrain.alerts``."""

    def send(self, alert: Alert) -> None:
        """Writes one line."""
        if alert.state == "resolved":
            _log.info("resolved: %s", alert.message)
        else:
            _log.log(_LEVELS[alert.severity], "%s", alert.message)


class WebhookSink:
    """Posts an alert as JSON; the record's fields, and ``Idempotency-Key`` for receivers that see one twice."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def send(self, alert: Alert) -> None:
        """Posts one alert and waits for the answer; an alert below the webhook's severity goes nowhere.

        Raises:
            DrivetrainError: The receiver is away, or answered with an error.
        """
        if SEVERITIES.index(alert.severity) < SEVERITIES.index(self._webhook.least):
            return
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{alert.id}:{alert.severity}:{alert.state}",
            **self._webhook.headers,
        }
        request = urllib.request.Request(  # noqa: S310 - the declaration accepts only http and https
            self._webhook.url, data=msgspec.json.encode(alert), headers=headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=self._webhook.timeout) as answer:  # noqa: S310 - as above
                status = int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            status = error.code
        except (OSError, ValueError) as error:
            raise DrivetrainError(f"the webhook {self._webhook.url} can't be reached: {error}") from None
        if status >= HTTPStatus.BAD_REQUEST:
            raise DrivetrainError(f"the webhook {self._webhook.url} refused an alert", found=f"HTTP {status}")


class Courier:
    """Hands alerts to a sink from a thread of its own: each is tried again after 1, 2, 4 … seconds.

    Args:
        sink: Where alerts go.
        attempts: How often one is tried before it is given up, which the log says; the catalog keeps every alert.
        room: Alerts that may wait; when it is full the newest is given up, so that nobody waits.
        pause: Waits between attempts; tests need not.
    """

    def __init__(
        self,
        sink: AlertSink,
        *,
        attempts: int = 6,
        room: int = 1000,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._sink = sink
        self._attempts = attempts
        self._queue: queue.Queue[Alert | None] = queue.Queue(room)
        self._stop = threading.Event()
        self._pause = self._stop.wait if pause is None else pause
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()

    def send(self, alert: Alert) -> None:
        """Queues one alert and returns at once."""
        try:
            self._queue.put_nowait(alert)
        except queue.Full:
            _log.error("too many alerts wait for delivery; this one stays in the catalog only: %s", alert.message)

    def close(self, seconds: float = 5.0) -> bool:
        """Delivers what waits for at most ``seconds``; says whether all was tried."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            self._stop.set()
        self._thread.join(seconds)
        self._stop.set()
        return not self._thread.is_alive() and self._queue.empty()

    def _work(self) -> None:
        while not self._stop.is_set():
            alert = self._queue.get()
            if alert is None:
                return
            self._deliver(alert)

    def _deliver(self, alert: Alert) -> None:
        for attempt in range(self._attempts):
            try:
                self._sink.send(alert)
            except DrivetrainError as error:
                _log.warning("attempt %d of %d: %s", attempt + 1, self._attempts, error)
                if attempt + 1 < self._attempts and not self._stop.is_set():
                    self._pause(min(2.0**attempt, _LONGEST_WAIT))
            else:
                return
        _log.error("given up after %d attempts; the alert stays in the catalog: %s", self._attempts, alert.message)


class Sinks:
    """Everybody a monitor tells: the log, and each webhook through a courier of its own."""

    def __init__(self, webhooks: Sequence[Webhook] = ()) -> None:
        self._log = LogSink()
        self._couriers = [Courier(WebhookSink(webhook), attempts=webhook.attempts) for webhook in webhooks]

    def send(self, alert: Alert) -> None:
        """Tells everybody; never waits."""
        self._log.send(alert)
        for courier in self._couriers:
            courier.send(alert)

    def close(self, seconds: float = 5.0) -> bool:
        """Delivers what waits; says whether all was tried."""
        done = True
        for courier in self._couriers:
            done = courier.close(seconds) and done
        return done

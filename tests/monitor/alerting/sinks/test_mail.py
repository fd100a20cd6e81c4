"""E-mail against a real SMTP server, with STARTTLS and a login, and every way it may fail."""

import email
import email.policy
import ssl

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from drivetrain.core.errors import SinkAway
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.sinks.mail import Email, mail_of
from monitor.alerting.receivers import closed_port
from monitor.alerting.windows import alert, message
from serve.test_tls import certify


class Box:
    def __init__(self):
        self.envelopes = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append((session.ssl is not None, envelope))
        return "250 OK"

    @property
    def mails(self):
        return [email.message_from_bytes(one.content, policy=email.policy.default) for _, one in self.envelopes]


def _let_in(server, session, envelope, mechanism, data):
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"ops", b"hunter2-long"), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certify(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def plain(box):
    controller = Controller(box, hostname="127.0.0.1", port=closed_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def secure(box, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=closed_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=_let_in,
        auth_required=True,
    )
    controller.start()
    yield controller
    controller.stop()


def sink(server, to="ops@example.org", **more):
    return Email(to, "127.0.0.1", port=server.port, sender="drivetrain@example.org", **more)


def test_a_message_arrives_in_words(plain, box):
    told = message(Told(alert(message="late: Überraschung, 31 % <b>empty</b>", severity="critical"), "opened"))
    sink(plain, ["ops@example.org", "ines@example.org"], security="none").send(told)
    (mail,) = box.mails
    assert box.envelopes[0][1].rcpt_tos == ["ops@example.org", "ines@example.org"]
    assert mail["Subject"] == "[flights] critical – opened: drift on late"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    text = mail.get_content()
    assert "CRITICAL: late: Überraschung, 31 % <b>empty</b>" in text
    assert "Page: https://trains.example/alerts/a1" in text
    assert "Objective: Warn passengers early." in text


def test_starttls_and_a_login(secure, box, certificate, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2-long")
    sink(secure, user="ops", password="env:MAIL_PASSWORD", ca=str(certificate[0])).send(message())
    ((encrypted, _),) = box.envelopes
    assert encrypted


def test_a_server_that_is_not_who_it_says_is_told_nothing(secure, box, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2-long")
    with pytest.raises(SinkAway, match="certificate"):
        sink(secure, user="ops", password="env:MAIL_PASSWORD").send(message())
    assert box.envelopes == []


def test_a_wrong_password_is_said_and_not_shown(secure, certificate, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "wrong-and-secret")
    with pytest.raises(SinkAway, match="does not let ops in") as raised:
        sink(secure, user="ops", password="env:MAIL_PASSWORD", ca=str(certificate[0])).send(message())
    assert "wrong-and-secret" not in str(raised.value)


def test_who_is_not_there_or_takes_nothing_is_named(plain):
    with pytest.raises(SinkAway, match="can't be told by"):
        sink(plain, "nobody@example.org", security="none").send(message())
    with pytest.raises(SinkAway, match="takes nothing for nobody@"):
        sink(plain, ["ops@example.org", "nobody@example.org"], security="none").send(message())
    away = Email("ops@example.org", "127.0.0.1", port=closed_port(), sender="a@b.example", security="none")
    with pytest.raises(SinkAway, match="can't be told by"):
        away.send(message())
    with pytest.raises(SinkAway, match="is not set"):
        sink(plain, user="ops", password="env:NOT_SET_ANYWHERE").send(message())


def test_a_line_break_in_a_name_makes_no_header():
    told = message(Told(alert(), "opened"), project="flights\r\nBcc: all@example.org")
    mail = mail_of(told, "a@b.example", ["c@d.example"])
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("[flights Bcc:")
    assert mail["Message-ID"] == mail_of(told, "a@b.example", ["c@d.example"])["Message-ID"]

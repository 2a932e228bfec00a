"""Mail servers on loopback: one that keeps every mail (aiosmtpd of Debian), and one that misbehaves byte by byte."""

import datetime
import email
import email.policy
import ipaddress
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.ports import free_port
from support.waiting import eventually

TAKEN = "250 2.0.0 Ok"


class Mail:
    """One mail as the server has got it."""

    def __init__(self, sender, recipients, content, answer):
        self.sender, self.recipients, self.content, self.answer = sender, recipients, content, answer
        self.message = email.message_from_bytes(content, policy=email.policy.default)

    @property
    def id(self):
        return self.message["Message-ID"]

    @property
    def subject(self):
        return self.message["Subject"]

    def text(self, kind="plain"):
        part = self.message.get_body((kind,))
        return part.get_content() if part else None


class Catcher:
    """Use it as a context. `answer(mail)` gives the reply to the content of each mail, `to(address)` that to each recipient."""

    def __init__(self, answer=lambda mail: TAKEN, to=lambda address: TAKEN, port=None, **settings):
        self.answer, self.to = answer, to
        self.mails = []
        self.lock = threading.Lock()
        self.port = port or free_port()
        self.settings = settings
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.controller = None

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **self.settings)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
        self.controller = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # Called by aiosmtpd, in its thread

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.to(address)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        mail = Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content, None)
        mail.answer = self.answer(mail)
        with self.lock:
            self.mails.append(mail)
        return mail.answer

    # Questions

    def taken(self, to=None):
        """The mails that were taken, in their order."""
        with self.lock:
            return [mail for mail in self.mails if mail.answer.startswith("2") and (to is None or to in mail.recipients)]

    def wait_for(self, n=1, to=None, within=30):
        eventually(lambda: len(self.taken(to)) >= n, within, f"{n} mails to {to}")
        return self.taken(to)


class RawServer:
    """A server that a function plays on each connection: `play(talk)`. Use it as a context."""

    def __init__(self, play):
        self.play = play
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"smtp://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rwb") as stream:
            try:
                self.play(Talk(connection, stream))
            except OSError:
                pass


class Talk:
    """One connection of a RawServer."""

    def __init__(self, connection, stream):
        self.connection, self.stream = connection, stream

    def say(self, line):
        self.stream.write(line.encode() + b"\r\n")
        self.stream.flush()

    def hear(self):
        return self.stream.readline().decode().rstrip("\r\n")

    def greet(self):
        """Up to the answer to DATA; returns the commands that were heard."""
        self.say("220 raw.example ESMTP")
        heard = []
        while True:
            command = self.hear()
            if not command:
                return heard
            heard.append(command)
            if command.upper().startswith("DATA"):
                self.say("354 go on")
                return heard
            self.say("250 Ok")

    def content(self):
        lines = []
        for line in iter(self.stream.readline, b""):
            if line == b".\r\n":
                break
            lines.append(line)
        return b"".join(lines)


def certificate(directory):
    """(TLS context of a server on 127.0.0.1, file of the certificate)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256()))
    public, private = directory / "mail.pem", directory / "mail.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def only(user, password):
    """An authenticator of aiosmtpd that lets this user in."""
    def judge(server, session, envelope, mechanism, data):
        return AuthResult(success=data.login == user.encode() and data.password == password.encode())
    return judge

"""A local Amazon SNS: it signs messages and serves its certificate and confirmations on Amazon's host names.

The hosts are reached over real TLS through a real proxy (HTTPS_PROXY), which connects all of them to a server on this machine.
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

TOPIC = "arn:aws:sns:us-east-2:123456789012:cleanup"
SITE = "https://sns.us-east-2.amazonaws.com/"
SUBSCRIBE = f"{SITE}?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
OTHER_HOST = "https://sns.amazonaws.com.guess.example/cert.pem"
_DIGESTS = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - version 1 is SNS's default.
_FIELDS = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
_serials = count(1)


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _certificate(key, *, of, by, by_key, hosts=(), is_authority=False):
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(_name(by), _name(of), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts or (of,)]), critical=False)
    )
    return builder.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Amazon:
    """Serves `pages` (status and body by URL) and records every requested URL in `asked`, while `may_answer` is set."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {SUBSCRIBE: (200, b"<ConfirmSubscriptionResponse/>")}
        self.asked: list[str] = []
        self.was_asked, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = _certificate(self._key, of="sns.amazonaws.com", by="sns.amazonaws.com", by_key=self._key)

    def new_certificate(self, body: bytes | None = None, *, status: int = 200) -> str:
        """Return a new certificate URL that serves our certificate or `body`."""
        url = f"{SITE}SimpleNotificationService-{next(_serials):032x}.pem"
        self.pages[url] = (status, self.certificate if body is None else body)
        return url

    def message(self, event="", *, at, version="1", **changed):
        """Return a signed SNS message; `changed` fields are signed too."""
        fields = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": event if isinstance(event, str) else json.dumps(event),
            "Timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "SignatureVersion": version,
            "SigningCertURL": changed.pop("certificate", None) or self.new_certificate(),
            **changed,
        }
        text = "".join(f"{name}\n{fields[name]}\n" for name in _FIELDS if name in fields)
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), _DIGESTS[version])
        return fields | {"Signature": base64.b64encode(signature).decode()}

    def confirmation(self, *, at, **changed):
        fields = {"Type": "SubscriptionConfirmation", "SubscribeURL": SUBSCRIBE, "Token": "2336412f37"}
        return self.message("You have chosen to subscribe to the topic.", at=at, **(fields | changed))


@contextmanager
def running(folder, monkeypatch) -> Iterator[Amazon]:
    """Run the server; within the block, requests of this process to Amazon's hosts reach it."""
    amazon = Amazon()
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    trusted = _certificate(authority, of="Trust Ltd", by="Trust Ltd", by_key=authority, is_authority=True)
    hosts = ["sns.us-east-2.amazonaws.com", "sns.amazonaws.com.guess.example"]
    served = _certificate(own, of=hosts[0], by="Trust Ltd", by_key=authority, hosts=hosts)
    secret = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "trusted.pem").write_bytes(trusted)
    (folder / "served.pem").write_bytes(served + secret)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "served.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _proxy(amazon, tls))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "trusted.pem"))
    try:
        yield amazon
    finally:
        server.shutdown()
        server.server_close()


def _proxy(amazon, tls):
    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            self.send_response(200)
            self.end_headers()
            host = self.path.removesuffix(":443")
            with tls.wrap_socket(self.connection, server_side=True) as connection, connection.makefile("rb") as lines:
                path = lines.readline().split()[1].decode()
                amazon.asked.append(f"https://{host}{path}")
                amazon.was_asked.set()
                amazon.may_answer.wait(10)
                status, body = amazon.pages.get(amazon.asked[-1], (404, b"NotFound"))
                where = f"Location: {body.decode()}\r\n" if 300 <= status < 400 else ""
                head = f"HTTP/1.1 {status} .\r\n{where}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + body)
            self.close_connection = True

        def log_message(self, *_args):
            pass

    return Proxy

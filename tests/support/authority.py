"""A time-stamping authority of our own: `openssl ts` behind HTTP, with a certificate that a CA of our own vouches for."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Test time-stamping authority
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[stamper]
basicConstraints = critical, CA:false
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = tsa_one
[tsa_one]
serial = {base}/serial
signer_cert = {base}/tsa.pem
signer_key = {base}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""


class StampingAuthority:
    """Makes its keys in `base`; answers while the block runs, and `away` turns it silent."""

    def __init__(self, base: Path) -> None:
        base.mkdir(parents=True, exist_ok=True)
        self._base = base
        self.certificate = base / "ca.pem"
        self.away = False
        self.asked = 0
        (base / "openssl.cnf").write_text(CONFIGURATION.format(base=base))
        (base / "serial").write_text("01\n")
        new = ("-newkey", "ed25519", "-nodes", "-config", base / "openssl.cnf")
        rsa = ("-newkey", "rsa:2048", "-nodes", "-config", base / "openssl.cnf")
        self._openssl(
            "req", "-x509", "-days", "2", *new, "-extensions", "authority", "-subj", "/CN=Test CA",
            "-keyout", base / "ca.key", "-out", self.certificate,
        )  # fmt: skip
        self._openssl("req", *rsa, "-keyout", base / "tsa.key", "-out", base / "tsa.csr")
        self._openssl(
            "x509", "-req", "-days", "2", "-in", base / "tsa.csr", "-CA", self.certificate,
            "-CAkey", base / "ca.key", "-CAcreateserial", "-extfile", base / "openssl.cnf",
            "-extensions", "stamper", "-out", base / "tsa.pem",
        )  # fmt: skip

    def __enter__(self) -> StampingAuthority:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def answer(self, question: bytes) -> bytes:
        asked = self._base / f"question-{threading.get_ident()}"
        asked.write_bytes(question)
        return self._openssl("ts", "-reply", "-config", self._base / "openssl.cnf", "-queryfile", asked)

    @staticmethod
    def _openssl(*arguments: str | Path) -> bytes:
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                question = self.rfile.read(int(self.headers["Content-Length"]))
                if authority.away:
                    self.send_error(503)
                    return
                answer = authority.answer(question)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None: ...

        return Handler

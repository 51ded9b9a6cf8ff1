"""A real OpenID Connect provider in a process of its own, and somebody between it and us."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "dashboard", "a secret of ours and the provider's: %+/~"


@dataclass
class RunningProvider:
    """Where the provider is; `let_in` is somebody signing in there."""

    issuer: str
    client: httpx.Client

    def knows(self, subject: str, **claims: Any) -> None:
        self.client.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def let_in(self, address: str, subject: str) -> str:
        """Somebody signs in where we sent them; gives the address they come back to."""
        answer = self.client.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@contextmanager
def running(name: str = "127.0.0.1") -> Iterator[RunningProvider]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}, **quiet)
    try:
        issuer = f"http://{name}:{port}"
        with httpx.Client(verify=False, trust_env=False) as client:
            for _ in range(600):
                with suppress(httpx.TransportError):
                    client.get(issuer)
                    break
                time.sleep(0.1)
            yield RunningProvider(issuer, client)
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Between(httpx.BaseTransport):
    """Passes on what we ask the provider, unless it is down. changes: by path, what becomes of an answer."""

    changes: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    is_down: bool = False
    answer: httpx.Response | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = {name: one for name, [one] in parse_qs(request.read().decode()).items()}
        self.asked.append((request.url.path, sent))
        if self.is_down:
            raise httpx.ConnectError("nobody is there")
        if self.answer is not None:
            return self.answer
        with httpx.HTTPTransport(verify=False) as real:
            answer = real.handle_request(request)
            answer.read()
        change = self.changes.get(request.url.path)
        return answer if change is None else httpx.Response(answer.status_code, json=change(answer.json()))

    def times(self, path: str) -> int:
        return [one for one, _ in self.asked].count(path)


@dataclass
class Forger:
    """Signs what the provider would have signed otherwise, with a key that its key set then holds."""

    between: Between
    kid: str = "forged"

    def __post_init__(self):
        self.key = ECKey.generate_key("P-256", {"kid": self.kid, "use": "sig"})
        self.pem = self.key.as_pem(private=False)

    def publish(self) -> None:
        self.between.changes["/jwks"] = lambda _was: {"keys": [self.key.as_dict(private=False)]}

    def replace(self, sign: Callable[[dict[str, Any], dict[str, Any]], str]) -> None:
        """Every token is signed anew: sign(claims, answer) gives it."""

        def changed(answer):
            if "id_token" not in answer:
                return answer
            return {**answer, "id_token": sign(read(answer["id_token"]), answer)}

        self.between.changes["/oauth2/token"] = changed

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.kid, **header}, claims, self.key, algorithms=["ES256"])


def read(token: str) -> dict[str, Any]:
    """What a token says, whoever signed it."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def s256(verifier: str) -> str:
    """RFC 7636, 4.2, written anew."""
    return encoded(hashlib.sha256(verifier.encode()).digest())


def query_of(address: str) -> dict[str, str]:
    return {name: one for name, [one] in parse_qs(urlsplit(address).query).items()}

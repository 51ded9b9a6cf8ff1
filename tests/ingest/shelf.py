"""A shelf of files on this machine that is reached by the web, as S3 or as SFTP."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import paramiko

LIST = """<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Name>bucket</Name><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{}</ListBucketResult>"""
ENTRY = """<Contents><Key>{}</Key><LastModified>2026-08-01T00:00:00.000Z</LastModified>
<ETag>{}</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>"""
NO_SUCH = b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>No such key</Message></Error>'


@dataclass
class Shelf:
    """files by path. given: the paths of the files whose bytes went out, in order."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)


def tag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


@contextmanager
def shelf() -> Iterator[Shelf]:
    """Serves `files` under their paths, with a tag, and as the bucket `bucket` of S3."""
    here = Shelf("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, with_body: bool) -> None:
            asked = urlsplit(self.path)
            path = asked.path.removeprefix("/bucket").lstrip("/")
            query = dict(parse_qsl(asked.query, keep_blank_values=True))
            if "list-type" in query:
                found = sorted(name for name in here.files if name.startswith(query.get("prefix", "")))
                entries = [ENTRY.format(name, tag(here.files[name]), len(here.files[name])) for name in found]
                self.say(200, LIST.format("".join(entries)).encode(), "application/xml", with_body)
            elif path not in here.files:
                self.say(404, NO_SUCH, "application/xml", with_body)
            elif self.headers.get("If-None-Match") == tag(here.files[path]):
                self.say(304, b"", "text/csv", False)
            else:
                here.given += [path] if with_body else []
                kind = "text/html" if here.files[path].startswith(b"<") else "text/csv"
                self.say(200, here.files[path], kind, with_body)

        def say(self, status: int, body: bytes, kind: str, with_body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("ETag", tag(body))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Guard(paramiko.ServerInterface):
    """Lets the user `city` with the password `secret` in."""

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("city", "secret")
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    """The files below `root`, for reading."""

    root = Path()

    def _real(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        found = sorted(self._real(path).iterdir())
        return [paramiko.SFTPAttributes.from_stat(one.stat(), one.name) for one in found]

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        try:
            file = self._real(path).open("rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = paramiko.SFTPHandle(os.O_RDONLY)
        handle.readfile = file
        return handle


@contextmanager
def sftp(root: Path) -> Iterator[str]:
    """Gives the address, user and password of an SFTP server of the files below `root`.

    Its key is in `root`/known_hosts.
    """
    files = type("Files", (_Files,), {"root": root})
    key = paramiko.RSAKey.generate(2048)
    listening = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            transport.start_server(server=_Guard())
            transports.append(transport)

    thread = Thread(target=serve)
    thread.start()
    port = listening.getsockname()[1]
    (root / "known_hosts").write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    try:
        yield f"sftp://city:secret@127.0.0.1:{port}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for transport in transports:
            transport.close()
        thread.join()

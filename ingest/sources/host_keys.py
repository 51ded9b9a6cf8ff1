"""Which SFTP servers are believed: those whose key is in a file of known hosts, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import paramiko

USUAL = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))
"""Where the keys of servers are looked up when a source names no file of its own."""


class OnlyKnown(paramiko.MissingHostKeyPolicy):
    """Refuses a server whose key is not known: its password would go to whoever answers."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [one.expanduser() for one in files]

    def missing_host_key(self, _client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Passes a known key; paramiko.SSHException with the fix for any other."""
        known = paramiko.HostKeys()
        for file in self._files:
            if file.is_file():
                known.load(str(file))
        places = " or ".join(map(str, self._files))
        held = known.lookup(hostname) or {}
        if held.get(key.get_name()) == key:
            return
        if key.get_name() in held:
            raise paramiko.SSHException(
                f"{hostname} shows another host key than the one in {places}: it was set up anew, or "
                "somebody stands between; ask who runs it, and change the line only then"
            )
        raise paramiko.SSHException(
            f"the {key.get_name()} host key of {hostname}, {key.fingerprint}, is not in {places}; compare it "
            "with what who runs the server says, then add the line that ssh-keyscan prints"
        )

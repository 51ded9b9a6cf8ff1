"""What the operations page tells people to copy: units, proxies and commands that are what they claim."""

from __future__ import annotations

import configparser
import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from serving.processes import GRACE_SECONDS
from settings import SETTINGS

PROJECT = Path(__file__).resolve().parents[1]
PAGE = (PROJECT / "docs" / "operations.md").read_text("utf-8")
NAMES = ("cityscore.service", "cityscore-backup.service", "cityscore-backup.timer")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def service(name):
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read_string(blocks("ini")[NAMES.index(name)])
    return unit["Service"]


def needed(program):
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    return found


def test_the_units_are_named_before_they_are_shown():
    assert len(blocks("ini")) == len(NAMES)
    assert [PAGE.index(f"/etc/systemd/system/{name}`") for name in NAMES] == sorted(
        PAGE.index(f"/etc/systemd/system/{name}`") for name in NAMES
    )


def test_the_unit_leaves_the_product_time_to_end():
    unit = service("cityscore.service")
    assert int(unit["TimeoutStopSec"]) >= GRACE_SECONDS * 1.5
    assert unit["KillMode"] == "mixed"


def test_systemd_understands_the_units(tmp_path):
    verify = needed("systemd-analyze")
    for name, text in zip(NAMES, blocks("ini"), strict=True):
        python = needed("python3")
        (tmp_path / name).write_text(text.replace("/opt/cityscore/.venv/bin/python", python))
    done = subprocess.run(
        [verify, "verify", *(str(tmp_path / name) for name in NAMES)], capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "cityscore" in line]
    assert ours == [] and done.returncode == 0


def test_nginx_understands_its_block(tmp_path):
    nginx, openssl = needed("nginx"), needed("openssl")
    place = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    wanted = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=scores.example.org"]
    subprocess.run([openssl, "req", *wanted, *place], check=True, capture_output=True)
    [block] = blocks("nginx")
    block = block.replace("/etc/letsencrypt/live/scores.example.org", str(tmp_path))
    block = block.replace("listen 80;", "listen 127.0.0.1:8081;").replace(
        "listen 443", "listen 127.0.0.1:8444"
    )
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
        f"http {{ access_log off; {places}\n{block}}}\n"
    )
    done = subprocess.run([nginx, "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_caddy_understands_its_block(tmp_path):
    [block] = blocks("caddy")
    (tmp_path / "Caddyfile").write_text(block)
    done = subprocess.run(
        [needed("caddy"), "validate", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")],
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr


def test_proxies_pass_on_the_name_and_whence_and_log_no_link():
    [nginx], [caddy] = blocks("nginx"), blocks("caddy")
    places = nginx.count("proxy_pass ")
    for header in ("Host $host", "X-Forwarded-For $remote_addr"):
        assert nginx.count(f"proxy_set_header {header};") == places
    assert re.search(r"location /link/ \{\s+access_log off;", nginx)
    assert "return 301 https://" in nginx and "reverse_proxy 127.0.0.1:8050" in caddy


@pytest.mark.parametrize("room", ["store", "metrics", "ingest"])
def test_every_command_the_page_names_is_one(room, capsys):
    named = set(re.findall(rf"-m {room} ([a-z-]+)", PAGE))
    main = importlib.import_module(f"{room}.__main__").main
    with pytest.raises(SystemExit):
        main(["--help"])
    known = set(re.findall(r"[a-z-]+", capsys.readouterr().out))
    assert named and named <= known


def test_the_file_of_settings_sets_settings():
    [given] = re.findall(r"<<'END'\n(.*?)END", PAGE, re.DOTALL)
    assert {line.split("=")[0] for line in given.splitlines()} <= {one.variable for one in SETTINGS}

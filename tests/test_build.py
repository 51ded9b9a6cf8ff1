"""The commands of the project on strange machines: no network is used and nothing is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
TARGETS = ["help", "run", "test", "test-all", "lint", "bench"]

PIP_WITHOUT_A_NETWORK = """
import pathlib, sys
if "broken.txt" in sys.argv: sys.exit("no network")
with pathlib.Path("pip.log").open("a") as log: log.write(" ".join(sys.argv[1:]) + chr(10))
"""


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


class Machine:
    """A copy of the build in a folder of its own, with only the commands put there on the path."""

    def __init__(self, folder: Path) -> None:
        self.project, self.path = folder / "project", folder / "bin"
        shutil.copytree(PROJECT / ".ci", self.project / ".ci")
        self.path.mkdir()
        for name in ("requirements.txt", "requirements-dev.txt"):
            (self.project / name).write_text(f"# {name}\n")
        for name in ("sh", "cat", "dirname", "rm", "mkdir"):
            (self.path / name).symlink_to(shutil.which(name))

    def has(self, name: str, script: str) -> Path:
        """Puts a command on the path: a shell script."""
        command = self.path / name
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        return command

    def has_user(self, number: int) -> None:
        self.has("id", f"echo {number}")

    def has_python(self) -> None:
        """A real Python whose pip writes down what it is asked for; the environment has nothing else."""
        self.has("python3", f'exec {sys.executable} "$@"')
        made = f'#!/bin/sh\nPYTHONPATH={self.project}/fake exec {sys.executable} "$@"\n'
        (self.project / "fake" / "pip").mkdir(parents=True)
        (self.project / "fake" / "pip" / "__init__.py").touch()
        (self.project / "fake" / "pip" / "__main__.py").write_text(PIP_WITHOUT_A_NETWORK)
        python = self.project / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(made)
        python.chmod(0o755)

    def runs(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.project / ".ci" / script, *arguments],
            env={"PATH": str(self.path), **environment},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    def installed(self) -> list[str]:
        log = self.project / "pip.log"
        return re.findall(r"-r (\S+)", log.read_text()) if log.exists() else []


def make(*arguments: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=PROJECT, env=clean, capture_output=True, text=True, check=True, timeout=60
    ).stdout


# --- the commands ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["help"]])
def test_help_and_nothing_at_all_list_every_command_with_a_word_about_it(arguments):
    assert re.findall(r"^make ([a-z-]+) +\S.+$", make(*arguments), re.MULTILINE) == TARGETS


@pytest.mark.parametrize(
    ("target", "recipe"),
    [
        ("run", [".ci/setup requirements.txt", "app.py"]),
        (
            "test",
            [
                ".ci/setup requirements-dev.txt",
                ".ci/browser",
                "not matrix and not browser",
                "browser and not matrix",
            ],
        ),
        ("test-all", [".ci/setup requirements-dev.txt", ".ci/browser", "not browser"]),
        ("lint", [".ci/setup requirements-dev.txt", "ruff check", "ruff format --check", "mypy"]),
        ("bench", [".ci/setup requirements-dev.txt", "tests/bench/run.py"]),
    ],
)
def test_each_command_sets_up_first_and_then_does_its_work(target, recipe):
    text = make("-n", target)
    places = [text.find(step) for step in recipe]
    assert -1 not in places
    assert places == sorted(places)


def test_together_the_two_halves_of_make_test_leave_out_the_matrix_alone():
    markers = re.findall(r'-m "([^"]+)"', make("-n", "test"))
    chosen = {
        (browser, matrix): any(eval(marker, {}, {"browser": browser, "matrix": matrix}) for marker in markers)
        for browser in (True, False)
        for matrix in (True, False)
    }
    assert chosen == {(True, True): False, (False, True): False, (True, False): True, (False, False): True}


def test_the_check_for_a_change_runs_the_tools_and_the_tests_and_stops_at_a_failure(machine):
    (machine.path / "bash").symlink_to(shutil.which("bash"))
    machine.has("env", 'exec "$@"')
    machine.has("make", 'echo "make $*"; [ "$1" != "$FAILING" ]')
    assert machine.runs("run").stdout.splitlines() == ["make lint", "make test"]
    failed = machine.runs("run", FAILING="lint")
    assert (failed.returncode, failed.stdout) == (1, "make lint\n")


# --- the packages ------------------------------------------------------------------------------


def test_packages_are_installed_once_and_again_only_when_their_pins_change(machine):
    machine.has_python()
    for _ in range(3):
        assert machine.runs("setup", "requirements.txt").returncode == 0
    assert machine.installed() == ["requirements.txt"]
    (machine.project / "requirements.txt").write_text("# another pin\n")
    assert machine.runs("setup", "requirements.txt").returncode == 0
    assert machine.installed() == ["requirements.txt"] * 2


def test_packages_for_development_bring_those_of_the_product(machine):
    machine.has_python()
    for name in ("requirements-dev.txt", "requirements.txt", "requirements-dev.txt"):
        assert machine.runs("setup", name).returncode == 0
    assert machine.installed() == ["requirements-dev.txt"]
    (machine.project / "requirements.txt").write_text("# another pin\n")
    assert machine.runs("setup", "requirements-dev.txt").returncode == 0
    assert machine.installed() == ["requirements-dev.txt"] * 2


def test_a_failed_installation_says_where_packages_come_from_and_is_done_again(machine):
    machine.has_python()
    (machine.project / "broken.txt").touch()
    for _ in range(2):
        failed = machine.runs("setup", "broken.txt")
        assert failed.returncode == 1
        assert "could not be installed" in failed.stderr
        assert "PyPI" in failed.stderr
    assert machine.runs("setup", "requirements.txt").returncode == 0
    assert machine.installed() == ["requirements.txt"]


# --- the interpreter ---------------------------------------------------------------------------

OLD = 'case "$1" in --version) echo "Python 3.9.18";; *) exit 1;; esac'
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; esac; [ "$1" = --version ] && echo "Python 3.12.1"'


def said(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of a refusal, which must have failed and printed nothing else."""
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    return line


def test_an_old_python_is_told_in_one_line(machine):
    machine.has("python3", OLD)
    line = said(machine.runs("setup", "requirements.txt"))
    assert "3.11 or newer" in line
    assert "Python 3.9.18" in line
    assert "make run PYTHON=" in line


def test_no_python_at_all_is_told_in_one_line(machine):
    assert "no python3" in said(machine.runs("setup", "requirements.txt"))


def test_a_newer_python_beside_an_old_one_is_found(machine):
    machine.has("python3", OLD)
    machine.has("python3.12", f"{WITHOUT_VENV}; exit 0")
    assert said(machine.runs("setup", "requirements.txt")).startswith("python3.12 comes without its venv")


def test_the_python_that_is_named_is_the_one_that_counts(machine):
    machine.has("python3", f"{WITHOUT_VENV}; exit 0")
    old = machine.has("old/python", OLD)
    assert "Python 3.9.18" in said(machine.runs("setup", "requirements.txt", PYTHON=str(old)))


def test_a_missing_venv_module_is_answered_with_the_command_when_not_root(machine):
    machine.has("python3", f"{WITHOUT_VENV}; exit 0")
    machine.has("apt-get", "exit 1")
    machine.has_user(1000)
    assert said(machine.runs("setup", "requirements.txt")).endswith("sudo apt-get install python3-venv")


def test_a_missing_venv_module_is_installed_when_root_and_then_used(machine):
    installed, made = machine.path / "installed", machine.path / "made"
    machine.has(
        "python3",
        f'[ -e {installed} ] || {{ {WITHOUT_VENV}; }}; case "$*" in "-m venv"*) echo >{made};; esac',
    )
    machine.has("apt-get", f'case "$*" in *install*python3-venv) echo >{installed};; esac')
    machine.has_user(0)
    result = machine.runs("setup", "requirements.txt")
    assert "Installing the system's package python3-venv." in result.stderr
    assert made.exists()


# --- the browser -------------------------------------------------------------------------------

WORKS = "echo Browser 1.0"
BROKEN = "exit 1"


def test_the_browser_that_is_named_comes_first(machine):
    named = machine.has("elsewhere/my-browser", WORKS)
    machine.has("chromium", WORKS)
    assert machine.runs("browser", CHROME=str(named)).stdout == f"{named}\n"


def test_a_named_browser_that_does_not_start_is_an_error_and_not_passed_over(machine):
    machine.has("chromium", WORKS)
    for name in ("/nowhere/chrome", str(machine.has("elsewhere/my-browser", BROKEN))):
        assert f"CHROME is {name}, which does not start" in said(machine.runs("browser", CHROME=name))


def test_chromium_comes_before_google_chrome_and_both_before_installing(machine):
    machine.has("apt-get", "echo must not be asked >&2; exit 1")
    machine.has_user(0)
    chrome = machine.has("google-chrome", WORKS)
    assert machine.runs("browser").stdout == f"{chrome}\n"
    chromium = machine.has("chromium", WORKS)
    assert machine.runs("browser").stdout == f"{chromium}\n"


def test_a_browser_that_does_not_start_is_passed_over(machine):
    machine.has("chromium", BROKEN)
    chrome = machine.has("google-chrome", WORKS)
    assert machine.runs("browser").stdout == f"{chrome}\n"


def test_playwrights_own_browser_comes_before_the_systems_package(machine):
    own = machine.has("playwrights/chrome", WORKS)
    machine.has("../project/.venv/bin/python", f"echo {own}")
    machine.has("apt-get", "echo must not be asked >&2; exit 1")
    machine.has_user(0)
    assert machine.runs("browser").stdout == f"{own}\n"


def test_without_any_the_systems_package_is_installed_when_root(machine):
    machine.has(
        "apt-get", f'case "$*" in *install*chromium) cp {machine.path}/ready {machine.path}/chromium;; esac'
    )
    machine.has("ready", WORKS)
    (machine.path / "cp").symlink_to(shutil.which("cp"))
    machine.has_user(0)
    result = machine.runs("browser")
    assert result.stdout == f"{machine.path}/chromium\n"
    assert result.stderr == "Installing the system's package chromium.\n"


def test_a_package_that_cannot_be_installed_shows_why_and_then_the_command(machine):
    machine.has("apt-get", "echo E: the disk is full; exit 100")
    machine.has_user(0)
    result = machine.runs("browser")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[1:2] == ["E: the disk is full"]
    assert result.stderr.endswith("sudo apt-get install chromium\n")


def test_without_any_the_answer_is_the_one_command_that_helps(machine):
    machine.has_user(1000)
    assert said(machine.runs("browser")).endswith(".venv/bin/python -m playwright install chromium")
    machine.has("apt-get", "exit 1")
    assert said(machine.runs("browser")).endswith("sudo apt-get install chromium")

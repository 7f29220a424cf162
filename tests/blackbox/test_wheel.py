"""The package: built as `make wheel` does, installed into an environment of its own, and used from another folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from besedka import __version__
from tests.running import ROOT, free_port

TIMEOUT_SECONDS = 120

LOOK = """
import besedka, sys
from urllib.request import urlopen

print(besedka.__file__)
print(urlopen(sys.argv[1]).read().decode())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "flit_core.wheel", "--outdir", str(folder), cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.startswith("BESEDKA_")},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_has_every_file_that_the_program_has(wheel: Path) -> None:
    listed = run("git", "ls-files", "besedka", cwd=ROOT).splitlines()
    with ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if name.startswith("besedka/")}
        pages = {name.split("/data/")[1] for name in packed.namelist() if "/data/" in name}
    assert names == {*listed}
    assert "besedka/py.typed" in names
    assert pages == {
        path.removeprefix("data/") for path in run("git", "ls-files", "data", cwd=ROOT).splitlines()
    }
    assert "share/man/man1/besedka-send.1" in pages


def test_installed_elsewhere_it_runs_a_conversation(wheel: Path, tmp_path: Path) -> None:
    """The packages that it depends on are lent to it by the environment of the tests: a registry need not be reached."""
    environment, home = tmp_path / "environment", tmp_path / "home"
    home.mkdir()
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index"]
    run(*pip, "--no-deps", "--disable-pip-version-check", str(wheel), cwd=home)
    installed = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (installed / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    variables = {"HOME": str(home), "PATH": f"{environment / 'bin'}:/usr/bin:/bin", "LANG": "C.UTF-8"}
    port = free_port()

    def besedka(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=home,
            env=variables,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout

    assert besedka("besedka --version") == f"besedka {__version__}\n"
    serve = [str(environment / "bin" / "besedka"), "serve", "--port", str(port), "--grpc-port", "0"]
    with subprocess.Popen(serve, cwd=home, env=variables, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            assert any(str(port) in line for line in server.stdout)
            (home / "look.py").write_text(LOOK, encoding="utf-8")
            where, page = besedka(f"python look.py http://localhost:{port}/").split("\n", 1)
            shutil.copy(ROOT / "docs" / "examples" / "log_shipper.py", home)
            besedka(f"echo hello | python log_shipper.py ws://localhost:{port} Vera")
            besedka(f"besedka send --url localhost:{port} --name Gleb hello, Vera")
            shown = besedka(f"besedka tail --url localhost:{port}")
        finally:
            server.terminate()
    assert where == str(installed / "besedka" / "__init__.py")
    assert re.findall(r"\] (.*)", shown) == ["Vera: hello", "Gleb: hello, Vera"]
    assert "chat.js" in page

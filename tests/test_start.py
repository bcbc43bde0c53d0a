"""The one command of a fresh clone: what it says when the machine is not ready, and that it mends what was left half-made."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
CLOSED_PORT = "http://127.0.0.1:9/simple"


def load(checkout: Path) -> ModuleType:
    """start.py of a checkout as a module, so that its parts can be asked one by one."""
    spec = importlib.util.spec_from_file_location("start_under_test", checkout / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an empty lock: the environment is then made in seconds and without the network."""
    folder = tmp_path / "check out"
    folder.mkdir()
    shutil.copy(ROOT / "start.py", folder)
    (folder / "requirements.lock").write_text("# nothing\n")
    (folder / "pyproject.toml").write_text("[project]\nname = 'empty'\n")
    return folder


def run(checkout: Path, *arguments: str, python: str = sys.executable, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout),
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    } | variables
    return subprocess.run(
        [python, str(checkout / "start.py"), *arguments],
        env=environment | variables,
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def pretend_environment(checkout: Path) -> None:
    """An environment as a finished call leaves it, with programs that only say how they were called."""
    start = load(checkout)
    Path(start.COMMAND).parent.mkdir(parents=True)
    for program in (start.COMMAND, start.PYTHON):
        Path(program).write_text('#!/bin/sh\necho "$(basename "$0") $*"\nexit 7\n')
        Path(program).chmod(0o755)
    Path(start.STAMP).write_text(start.fingerprint())


def test_without_arguments_it_says_how_it_is_called(checkout: Path) -> None:
    answer = run(checkout)
    assert answer.returncode == 0
    assert "start.py demo" in answer.stdout
    assert "start.py test" in answer.stdout
    assert not (checkout / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="uses programs that are shell scripts")
class TestWhenTheEnvironmentIsReady:
    def test_any_command_is_handed_to_headwater_with_its_arguments_and_exit_code(self, checkout: Path) -> None:
        pretend_environment(checkout)
        answer = run(checkout, "serve", "--port", "0")
        assert (answer.stdout, answer.returncode) == ("headwater serve --port 0\n", 7)

    def test_test_runs_pytest_with_the_arguments_given(self, checkout: Path) -> None:
        pretend_environment(checkout)
        assert run(checkout, "test", "-x", "tests/lineage").stdout == "python -m pytest -x tests/lineage\n"

    def test_it_adds_less_than_a_fifth_of_a_second(self, checkout: Path) -> None:
        pretend_environment(checkout)
        spent = []
        for _ in range(5):
            before = os.times()
            run(checkout, "demo")
            after = os.times()
            # Processor time, not the clock's: that does not depend on what else the machine is doing.
            spent.append(after.children_user - before.children_user + after.children_system - before.children_system)
        assert min(spent) < 0.2

    @pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
    def test_a_changed_lock_or_project_makes_it_stale(self, checkout: Path, name: str) -> None:
        pretend_environment(checkout)
        start = load(checkout)
        assert start.ready(start.fingerprint())
        with (checkout / name).open("a") as file:
            file.write("# changed\n")
        assert not start.ready(start.fingerprint())

    def test_a_checkout_that_was_moved_is_stale(self, checkout: Path) -> None:
        pretend_environment(checkout)
        moved = checkout.parent / "elsewhere"
        checkout.rename(moved)
        start = load(moved)
        assert not start.ready(start.fingerprint())

    def test_the_same_text_with_windows_line_ends_is_not_a_change(self, checkout: Path) -> None:
        before = load(checkout).fingerprint()
        lock = checkout / "requirements.lock"
        lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
        assert load(checkout).fingerprint() == before


class TestWhenTheMachineIsNotReady:
    def test_an_unreachable_index_is_said_in_words(self, checkout: Path) -> None:
        (checkout / "requirements.lock").write_text(f"not-there==1.0 --hash=sha256:{'0' * 64}\n")
        answer = run(checkout, "demo", PIP_INDEX_URL=CLOSED_PORT)
        assert answer.returncode == 1
        assert "index cannot be reached" in answer.stderr
        assert "PIP_INDEX_URL" in answer.stderr
        assert "Traceback" not in answer.stderr

    def test_a_python_without_ensurepip_is_told_which_package_to_install(self, checkout: Path, tmp_path: Path) -> None:
        stub = tmp_path / "stub" / "ensurepip"
        stub.mkdir(parents=True)
        (stub / "__init__.py").write_text("raise ModuleNotFoundError('No module named ensurepip')\n")
        answer = run(checkout, "demo", PYTHONPATH=str(stub.parent))
        assert answer.returncode == 1
        assert "apt install python3-venv" in answer.stderr
        assert not (checkout / ".venv").exists()

    @pytest.mark.skipif(os.name == "nt", reason="users and modes are another matter there")
    def test_a_folder_that_may_not_be_written_is_said_in_words(self) -> None:
        python, user = sys.executable, None
        if os.geteuid() == 0:
            python, user = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "", 65534
            if subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode != 0:
                pytest.skip("running as root, and there is no Python 3.11 that another user may run")
        folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        try:
            for name in ("start.py", "pyproject.toml", "requirements.lock"):
                shutil.copy(ROOT / name, folder)
                (folder / name).chmod(0o644)
            folder.chmod(0o555)
            command = [python, str(folder / "start.py"), "demo"]
            answer = subprocess.run(command, user=user, capture_output=True, text=True, cwd="/")
        finally:
            folder.chmod(0o755)
            shutil.rmtree(folder)
        assert answer.returncode == 1
        assert "may not write in" in answer.stderr
        assert "Traceback" not in answer.stderr

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
    def test_a_full_disk_is_said_in_words(self, checkout: Path, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        script = 'mount -t tmpfs -o size=4m tmpfs "$1" || exit 77; cp "$2"/* "$1"; exec "$3" "$1/start.py" demo'
        answer = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", str(disk), str(checkout), sys.executable],
            capture_output=True,
            text=True,
        )
        if answer.returncode == 77 or "unshare" in answer.stderr:
            pytest.skip("this machine does not let its root mount a small disk")
        assert answer.returncode == 1
        assert "disk is full" in answer.stderr

    @pytest.mark.parametrize(
        ("output", "words"),
        [
            ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
            (
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE FILE",
                "not the one that requirements.lock names",
            ),
            ("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'", "cannot be reached"),
            ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", "Writing was refused"),
            ("ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)", "cannot be reached"),
            ("ERROR: No matching distribution found for numpy==2.4.6", "has no numpy==2.4.6 for this Python"),
            ("something never seen before", "    something never seen before"),
        ],
    )
    def test_what_pip_says_becomes_a_sentence_with_advice(self, checkout: Path, output: str, words: str) -> None:
        assert words in load(checkout).explain(output)


class TestAnOldPython:
    OLD = next((p for v in ("3.6", "3.7", "3.8", "3.9", "3.10") for p in [shutil.which("python" + v)] if p), None)

    def old(self, tmp_path: Path) -> str:
        """An old Python: a real one from the PATH, or this one made to say that it is 3.6."""
        if self.OLD and subprocess.run([self.OLD, "-c", ""], capture_output=True).returncode == 0:
            return self.OLD
        pretender = tmp_path / "old-python"
        pretender.write_text(
            f"#!{sys.executable}\nimport runpy, sys\nsys.version_info = (3, 6, 15, 'final', 0)\nsys.argv = sys.argv[1:]\n"
            "runpy.run_path(sys.argv[0], run_name='__main__')\n"
        )
        pretender.chmod(0o755)
        return str(pretender)

    @pytest.mark.skipif(os.name == "nt", reason="uses programs that are shell scripts")
    def test_is_told_what_is_needed(self, checkout: Path, tmp_path: Path) -> None:
        answer = run(checkout, "demo", python=self.old(tmp_path), PATH=str(tmp_path))
        assert answer.returncode == 1
        assert "needs Python 3.11 or newer" in answer.stderr
        assert "Traceback" not in answer.stderr

    @pytest.mark.skipif(os.name == "nt", reason="uses programs that are shell scripts")
    def test_hands_over_to_a_newer_one_and_passes_over_a_shim_with_nothing_behind(self, checkout: Path, tmp_path: Path) -> None:
        programs = tmp_path / "bin"
        programs.mkdir()
        for name, text in (
            ("python3.13", "#!/bin/sh\nexit 127\n"),
            ("python3.12", f'#!/bin/sh\nif [ "$1" = -c ]; then exec {sys.executable} "$@"; fi\necho "newer $2 $3"\n'),
        ):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        answer = run(checkout, "demo", "--no-serve", python=self.old(tmp_path), PATH=str(programs))
        assert answer.stdout == "newer demo --no-serve\n"

    def test_can_read_the_file(self) -> None:
        import ast

        ast.parse((ROOT / "start.py").read_text(), feature_version=(3, 6))


def test_a_half_made_environment_is_made_anew(checkout: Path) -> None:
    start = load(checkout)
    (checkout / ".venv").mkdir()
    Path(start.BEGUN).write_text("")
    (checkout / ".venv" / "left-over").write_text("")
    (checkout / "requirements.lock").write_text(f"not-there==1.0 --hash=sha256:{'0' * 64}\n")
    answer = run(checkout, "demo", PIP_INDEX_URL=CLOSED_PORT)
    assert "half-made" in answer.stdout
    assert not (checkout / ".venv" / "left-over").exists()
    assert Path(start.PYTHON).exists()


def test_a_second_call_waits_while_a_first_one_makes_the_environment(checkout: Path) -> None:
    pytest.importorskip("fcntl")
    import fcntl

    with (checkout / "start.py").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, str(checkout / "start.py"), "demo"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=checkout,
        )
        assert second.stdout is not None
        said = second.stdout.readline()
        pretend_environment(checkout)
        fcntl.flock(file, fcntl.LOCK_UN)
    rest, _ = second.communicate(timeout=60)
    assert "waiting for it" in said
    assert rest == "headwater demo\n"

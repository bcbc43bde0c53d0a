"""Runs Headwater from a fresh clone: makes a private environment beside this file, then starts the demonstration or the tests.

Needs Python 3.11 or newer and nothing else. The syntax stays readable for Python 3.6, so that an old one gets a sentence and
not a SyntaxError.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from typing import Dict, Iterator, List, NoReturn, Optional, Tuple

OLDEST = (3, 11)
WINDOWS = os.name == "nt"
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if WINDOWS else os.path.join(VENV, "bin", "python")
COMMAND = os.path.join(VENV, "Scripts", "headwater.exe") if WINDOWS else os.path.join(VENV, "bin", "headwater")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, "start.py-finished")
BEGUN = os.path.join(VENV, "start.py-begun")

USAGE = """usage: python3 start.py demo [--no-serve]     load the demonstration project, answer both questions, then serve it
       python3 start.py test [PYTEST ARGS]    run the tests and the style checks
       python3 start.py COMMAND ...           any other command of headwater: serve, import, query, impact, benefits ...

The first call makes the folder .venv beside this file and installs the exact packages of requirements.lock into it (a minute or
two); later calls start at once. Delete .venv to start afresh.
Behind a firewall, set PIP_INDEX_URL to the address of your package mirror."""

# What pip and venv say when something outside Headwater stands in the way, and what a person can do about it. First match wins.
CAUSES = (
    (
        r"No space left on device|\[Errno 28\]|Disk quota exceeded|\[Errno 122\]|not enough space on the disk",
        "The disk is full (the environment takes about 600 MB). Free some space and call again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A downloaded package is not the one that requirements.lock names. If a mirror changes packages, use another one "
        "(PIP_INDEX_URL); otherwise try again with PIP_NO_CACHE_DIR=1.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|Connection refused|Connection reset|ProxyError|SSLError"
        r"|Name or service not known|name resolution|getaddrinfo failed|Network is unreachable|Max retries exceeded"
        r"|Failed to establish a new connection|Connection aborted|Could not fetch URL",
        "The package index cannot be reached. Check the network and call again; behind a firewall, set PIP_INDEX_URL to the "
        "address of your package mirror (and HTTPS_PROXY if there is a proxy).",
    ),
    (
        r"Permission denied|\[Errno 13\]|Operation not permitted|\[Errno 1\]|Read-only file system|\[Errno 30\]|Access is denied",
        "Writing was refused. Make a clone in a folder that is yours (and with TMPDIR set to one too), and call again.",
    ),
    (
        r"\(from versions: none\)",
        "The package index cannot be reached, or is empty. Check the network and call again; behind a firewall, set "
        "PIP_INDEX_URL to the address of your package mirror.",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "The package index has no {what} for this Python and machine. "
        "Use Python 3.11, 3.12 or 3.13, or another mirror (PIP_INDEX_URL).",
    ),
)


class Stopped(Exception):
    """The environment cannot be made; the text says why and what to do."""


def find_newer_python() -> Optional[str]:
    """A Python on the PATH that is new enough. Each candidate is asked: a name alone can be a shim with nothing behind it."""
    for name in ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"):
        path = shutil.which(name)
        if path is None:
            continue
        try:
            answer = subprocess.check_output(
                [path, "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"], stderr=subprocess.DEVNULL
            )
            major, minor = answer.split()
            if (int(major), int(minor)) >= OLDEST:
                return path
        except (OSError, ValueError, subprocess.CalledProcessError):
            continue
    return None


def fingerprint() -> str:
    """What the environment depends on, as one hash: the lock, the project file, this Python, and where the checkout lies."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read().replace(b"\r\n", b"\n"))
            digest.update(b"\0")
    digest.update("{}.{} {}".format(sys.version_info[0], sys.version_info[1], ROOT).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_text(path: str) -> str:
    """The text of a file that may be absent (then empty)."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def write_text(path: str, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def ready(wanted: str) -> bool:
    """Was the environment finished for exactly this lock, project, Python and place?"""
    return read_text(STAMP) == wanted and os.path.exists(PYTHON) and os.path.exists(COMMAND)


def usable() -> bool:
    """Can packages be installed into the .venv that is there? Not if an earlier call was killed half-way through making it."""
    if os.path.exists(BEGUN) and not os.path.exists(STAMP):
        return False
    question = "import sys, pip; print(sys.version_info[0], sys.version_info[1])"
    try:
        answer = subprocess.check_output([PYTHON, "-c", question], stderr=subprocess.DEVNULL, env=clean_environment())
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.decode().split() == [str(part) for part in sys.version_info[:2]]


def clean_environment() -> Dict[str, str]:
    """The caller's environment without what would lead pip or Python to another place than .venv."""
    astray = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name.upper() not in astray}


def explain(output: str) -> str:
    """One or two sentences for what pip or venv wrote before it gave up."""
    for pattern, words in CAUSES:
        found = re.search(pattern, output)
        if found:
            return words.format(**found.groupdict())
    tail = "\n".join("    " + line for line in output.strip().splitlines()[-20:])
    return "Making the environment failed; the last lines were:\n{}".format(tail)


def explain_refusal(error: OSError) -> str:
    """One sentence for a file that could not be written or read."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CAUSES[0][1]
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "start.py may not write in {}. Make a clone in a folder that is yours, and call again.".format(ROOT)
    return "{}: {}".format(error.filename or ROOT, error.strerror or error)


def run_step(title: str, command: List[str], expected: int = 0) -> None:
    """Run one step quietly, with its elapsed time on a line; raises `Stopped` with the reason if it fails.

    `expected` is how many packages pip will name on the way, for the counter that a terminal shows. What the step says is
    kept in memory: on a full disk a log file would be empty just when it is needed.
    """
    began = time.time()
    live = sys.stdout.isatty()
    if not live:
        print(title + " ...", flush=True)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=clean_environment(),
        close_fds=False,  # so that the step keeps the lock of one_at_a_time
    )
    said = []  # type: List[str]
    reader = threading.Thread(target=collect, args=(process, said), daemon=True)
    reader.start()
    try:
        while process.poll() is None:
            time.sleep(0.1)
            if live:
                seen = min(expected, sum(line.startswith("Collecting ") for line in said))
                counter = " {}/{}".format(seen, expected) if seen else ""
                print("\r{} ...{} {:.0f} s  ".format(title, counter, time.time() - began), end="", flush=True)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    reader.join(timeout=5)
    if process.returncode != 0:
        if live:
            print()
        raise Stopped(explain("".join(said)))
    print(("\r" if live else "") + "{}: {:.0f} s{}".format(title, time.time() - began, " " * 12 if live else ""), flush=True)


def collect(process: "subprocess.Popen[bytes]", said: List[str]) -> None:
    """Read what a process says, line by line, until it ends."""
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.decode("utf-8", "replace"))


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keeps two calls from making the environment at once.

    The steps inherit the lock: when a call is killed and its pip lives on, the next call waits for that, too.
    """
    if WINDOWS:
        yield
        return
    import fcntl

    with open(os.path.abspath(__file__), "rb") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another call of start.py is making the environment; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            # Some network file systems know no locks; without one, two first calls at the same time are the user's risk.
            print("This file system knows no locks ({}); going on without.".format(error.strerror), flush=True)
        yield


def make_environment(wanted: str) -> None:
    """Make or mend .venv. Raises `Stopped` or OSError; a call that was killed in here is detected by the next one."""
    try:
        import ensurepip
        import venv
    except ImportError:
        raise Stopped(
            "This Python ({}) cannot make environments: its modules venv and ensurepip are missing.\n"
            "On Debian or Ubuntu: 'sudo apt install python3-venv', then call again.".format(sys.executable)
        ) from None
    del ensurepip, venv
    if not usable():
        if os.path.islink(VENV) or os.path.isfile(VENV):
            os.remove(VENV)
        elif os.path.isdir(VENV):
            print("The folder .venv is half-made or from another Python; making it anew.", flush=True)
            shutil.rmtree(VENV)
        os.mkdir(VENV)
        write_text(BEGUN, "made by start.py\n")
        # In two steps, because "venv" alone keeps to itself why its second half failed.
        run_step("Making the environment .venv", [sys.executable, "-m", "venv", "--without-pip", VENV])
        run_step("Giving it pip", [PYTHON, "-m", "ensurepip", "--default-pip"])
    elif os.path.exists(STAMP):
        os.remove(STAMP)
    # From here on a killed call leaves BEGUN without STAMP, by which the next one knows.
    write_text(BEGUN, "made by start.py\n")
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--prefer-binary"]
    count = len(re.findall(r"(?m)^[A-Za-z0-9]", read_text(LOCK)))
    run_step("Installing {} packages".format(count), [*pip, "--require-hashes", "-r", LOCK], expected=count)
    run_step("Installing Headwater itself", [*pip, "--no-deps", "--no-build-isolation", "-e", ROOT])
    write_text(STAMP, wanted)


def ensure_environment() -> None:
    """Make sure that .venv is there and finished; at once if it is."""
    wanted = fingerprint()
    if ready(wanted):
        return
    try:
        with one_at_a_time():
            if not ready(wanted):
                make_environment(wanted)
    except OSError as error:
        raise Stopped(explain_refusal(error)) from None


def command_for(arguments: List[str]) -> Tuple[List[str], str]:
    """The command to run in the environment, and the folder to run it in."""
    if arguments[0] != "test":
        return [COMMAND, *arguments], os.getcwd()
    # What .ci/run does afterwards, because it takes long or more than the locked packages.
    apart = "not attacks and not browser and not notebooks and not schemathesis and not servers"
    chosen = arguments[1:] or ["-n", "2", "--dist", "loadgroup", "-m", apart, "--cov", "--cov-report=term:skip-covered"]
    return [PYTHON, "-m", "pytest", *chosen], ROOT


def become(command: List[str], folder: str) -> NoReturn:
    """Hand this process over to `command`; its exit code is ours."""
    os.chdir(folder)
    if WINDOWS:
        # Windows has no exec that keeps the console: wait for the child, and let Ctrl-C be its business.
        process = subprocess.Popen(command)
        while True:
            try:
                sys.exit(process.wait())
            except KeyboardInterrupt:
                continue
    sys.stdout.flush()
    os.execv(command[0], command)


def main(arguments: List[str]) -> NoReturn:
    """Do what the arguments say; exit codes are those of the command that was run, 1 if it could not be."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE)
        sys.exit(0)
    if sys.version_info[:2] < OLDEST:
        newer = find_newer_python()
        if newer is not None:
            become([newer, os.path.abspath(__file__), *arguments], os.getcwd())
        print(
            "Headwater needs Python {}.{} or newer; this is {}.{} and no newer one is on the PATH.\n"
            "Install one (Debian or Ubuntu: 'sudo apt install python3 python3-venv') and call again.".format(
                *(OLDEST + tuple(sys.version_info[:2]))
            ),
            file=sys.stderr,
        )
        sys.exit(1)
    try:
        ensure_environment()
    except Stopped as reason:
        print(reason, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped. The next call makes the environment anew.", file=sys.stderr)
        sys.exit(130)
    command, folder = command_for(arguments)
    become(command, folder)


if __name__ == "__main__":
    main(sys.argv[1:])

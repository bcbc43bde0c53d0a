"""The program `headwater`: its commands, and how every one of them ends.

Exit codes: 0 done, 1 failed, 2 rejected input, 130 stopped by Ctrl-C, 141 nobody reads the output any more. Commands import what
they need when they run, so that `headwater --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer
from typer.exceptions import Abort, TyperException

from headwater.cli import (
    assess,
    backup,
    benefits,
    demo,
    doctor,
    dump,
    explain,
    export,
    impact,
    importing,
    lineage,
    plan,
    query,
    rebuild,
    restore,
    serve,
    token,
    validate,
    verify,
)
from headwater.cli.options import Data
from headwater.cli.printing import show_error
from headwater.errors import BadParameter, HeadwaterError, StorageFailed

program = typer.Typer(
    name="headwater",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)

_STOPPED, _UNREAD = 130, 141
_START, _ASK, _KEEP = "Begin", "Ask", "Keep"
program.command("demo", rich_help_panel=_START)(demo.demo)
program.command("serve", rich_help_panel=_START)(serve.serve)
program.command("import", rich_help_panel=_START)(importing.import_sources)
program.command("validate", rich_help_panel=_START)(validate.validate)
program.command("impact", rich_help_panel=_ASK)(impact.impact)
program.command("assess", rich_help_panel=_ASK)(assess.assess)
program.command("explain", rich_help_panel=_ASK)(explain.explain)
program.command("benefits", rich_help_panel=_ASK)(benefits.benefits)
program.command("plan", rich_help_panel=_ASK)(plan.plan)
program.command("lineage", rich_help_panel=_ASK)(lineage.lineage)
program.command("query", rich_help_panel=_ASK)(query.query)
program.command("export", rich_help_panel=_ASK)(export.export)
program.command("doctor", rich_help_panel=_KEEP)(doctor.doctor)
program.add_typer(token.program, name="token", rich_help_panel=_KEEP)
program.command("backup", rich_help_panel=_KEEP)(backup.backup)
program.command("restore", rich_help_panel=_KEEP)(restore.restore)
program.command("dump", rich_help_panel=_KEEP)(dump.dump)
program.command("rebuild", rich_help_panel=_KEEP)(rebuild.rebuild)
program.command("verify", rich_help_panel=_KEEP)(verify.verify)


def _version(wanted: bool) -> None:
    if wanted:
        from headwater import __version__

        sys.stdout.write(f"headwater {__version__}\n")
        raise typer.Exit


@program.callback()
def before_any_command(
    context: typer.Context,
    data: Data = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The provenance of scientific machine learning: what an upstream change affects, and who benefits downstream."""
    del version
    if data is not None and context.invoked_subcommand:
        # What stands before the command's name is the default for what may stand after it.
        here = {"data": str(data)}
        below = dict.fromkeys(("create", "list", "revoke"), here)
        context.default_map = {context.invoked_subcommand: here | below}


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    raise SystemExit(execute(sys.argv[1:] if arguments is None else arguments))


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are said on standard error and never raised."""
    as_json = "--json" in arguments
    try:
        code = typer.main.get_command(program).main(list(arguments), prog_name="headwater", standalone_mode=False)
        sys.stdout.flush()
        if code == _STOPPED:
            sys.stderr.write("Stopped.\n")
        return code if isinstance(code, int) else 0
    except HeadwaterError as error:
        show_error(error, as_json=as_json)
        return error.exit_code
    except TyperException as error:
        return _misused(error, as_json=as_json)
    except (KeyboardInterrupt, Abort):
        sys.stderr.write("Stopped.\n")
        return _STOPPED
    except BrokenPipeError:
        return _unread()
    except SystemExit as ended:
        # typer ends the process by itself when nobody reads the output any more.
        if isinstance(ended.__context__, BrokenPipeError):
            return _unread()
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        show_error(
            StorageFailed(f"{where}{error.strerror or error}", remedy="Check the path, its permissions and the free space."),
            as_json=as_json,
        )
        return StorageFailed.exit_code


def _unread() -> int:
    """The reader went away (`| head`): what Python still wants to flush at exit goes nowhere instead of into a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return _UNREAD


def _misused(error: TyperException, *, as_json: bool) -> int:
    if as_json:
        show_error(BadParameter(error.format_message(), remedy="See 'headwater COMMAND --help'."), as_json=True)
    elif hasattr(error, "show"):
        error.show()
    else:
        sys.stderr.write(f"{error.format_message()}\n")
    return error.exit_code

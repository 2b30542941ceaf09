"""The one program: `callsvc <command>`.

Each command lives with its feature as a typer function `command` (or an app `app`) in `callsvc.<feature>.command`,
and is imported only when it is asked for, so that `--help` is quick and a missing extra hurts only its own command.
"""

from __future__ import annotations

import errno
import importlib
import re
import signal
import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from callsvc import __version__
from callsvc.errors import CallsvcError, UsageError
from callsvc.locale import said, text
from callsvc.locale.said import Said, worded

# name -> (module, what it does); the module has `app: typer.Typer`
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("callsvc.serve.command", "Run the whole service on this machine until Ctrl-C."),
    "media": ("callsvc.media.command", "Run the media node: calls and their sound."),
    "web": ("callsvc.web.command", "Run the pages and the API."),
    "worker": ("callsvc.worker.command", "Run background jobs: archive, transcribe, demonstrate."),
    "captions": ("callsvc.captions.command", "Write captions of calls that go on."),
    "broker": ("callsvc.broker.command", "Run the embedded MQTT broker."),
    "demo": ("callsvc.demo.command", "Place a demonstration call and report what came of it."),
    "clean": ("callsvc.clean.command", "Take the typing out of a sound file."),
    "desk": ("callsvc.desk.command", "Clean this computer's microphone into a virtual one."),
    "verify": ("callsvc.recordings.command", "Check that a recording is whole and unchanged."),
    "export": ("callsvc.recordings.export_command", "Write a bundle that its receiver can check alone."),
    "keys": (
        "callsvc.recordings.keys_command",
        "Show the installation's keys, change them, destroy a recording's.",
    ),
    "restore": ("callsvc.recordings.restore_command", "Write lost books anew from the object store."),
    "mask": ("callsvc.recordings.mask_command", "Open what was masked, by two people; make their keys."),
    "transcript": ("callsvc.transcripts.export_command", "Write a call's transcript as a file."),
    "evaluate": ("callsvc.transcripts.evaluating.command", "Measure a model on recordings of your own."),
    "models": ("callsvc.transcripts.command", "List, fetch, check and choose models of speech to text."),
    "user": ("callsvc.access.command", "List accounts, add one, give a new one-time password."),
    "doctor": ("callsvc.doctor.command", "Say what is missing, wrong or degraded on this machine."),
    "config": ("callsvc.config_command", "Show the settings in force, or the page that explains them."),
}


HELP: Final = "`{command} --help` shows what it can be given."
_Misused: type[Exception] = typer.BadParameter.__mro__[1]
"""What the library says of words on the command line; it has no public name."""


class LazyGroup(TyperGroup):
    """Finds a command's module when the command is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, summary = COMMANDS[cmd_name]
        app: typer.Typer = importlib.import_module(module).app
        app.rich_markup_mode = None  # boxes drawn around help are noise to a screen reader
        command: Any = typer.main.get_command(app)
        command.params = [
            p for p in command.params if p.name not in ("install_completion", "show_completion")
        ]
        command.name = cmd_name
        command.short_help = command.short_help or summary
        return command

    def main(self, *args: Any, **more: Any) -> Any:
        try:
            sys.exit(super().main(*args, **{**more, "standalone_mode": False}))
        except _Misused as error:
            raise misused(error) from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def misused(error: Any) -> UsageError:
    """What the library found wrong with the command line, as one of our errors: it speaks English only."""
    from pydantic import ValidationError  # it is slow to load, and --help has no use for it

    from callsvc.locale import unfit

    kind, command = type(error).__name__, error.ctx.command_path if error.ctx else "callsvc"
    if kind == "NoArgsIsHelpError":
        error.show()
        sys.exit(error.exit_code)
    option = getattr(error, "option_name", None)
    if kind == "NoSuchOption":
        return UsageError("There is no option {option}.", hint=HELP, option=option, command=command)
    if option is not None:
        return UsageError("The option {option} needs a value.", hint=HELP, option=option, command=command)
    param = getattr(error, "param", None)
    if param is None:
        # Its own sentence ends with what it is about: `No such command 'x'.`, `Got unexpected extra argument (x)`.
        named = re.search(r"\(([^()]*)\)$|'(.*)'", error.message)
        found = (named[1] or named[2]) if named else error.message
        return UsageError("{found} cannot be used here.", hint=HELP, found=found, command=command)
    option = param.get_error_hint().strip("'")
    if kind == "MissingParameter":
        return UsageError("{option} is missing.", hint=HELP, option=option, command=command)
    why: Said = said.of(error)
    if choices := param.type_descriptor.choices:
        why = Said(
            unfit.OF_TYPE["enum"], {"expected": ", ".join(str(getattr(one, "value", one)) for one in choices)}
        )
    elif isinstance(error.__cause__, ValidationError):
        why = unfit.unfit(error.__cause__)[0].what
    elif param.type_descriptor.is_path:
        why = Said("names a path that cannot be used")
    return UsageError("{option} {why}.", hint=HELP, option=option, why=why, command=command)


app = typer.Typer(
    name="callsvc",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"callsvc {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Calls without the sound of typing, recorded and transcribed.

    Exit codes: 0 done, 1 a fault, 2 wrong usage, 3 settings, 4 a needed part is missing, 5 a seal is broken.
    """


def main() -> None:
    """Run the program; what goes wrong ends it with a message, what to do, and an exit code.

    A disk that is full and a file that may not be read are no faults of the program, and nobody reads a traceback.
    """
    from callsvc.config import language

    try:
        app()
    except CallsvcError as error:
        lang = language()
        _say(*error.told(lang), lang)
        sys.exit(error.exit_code)
    except OSError as error:
        lang = language()
        says = worded(error, lang)
        what = f"{error.filename}: {says}" if error.filename else says
        kind = _KINDS.get(error.errno or 0, "other")
        _say(text("cli.system", lang, what=what), text(f"cli.system_{kind}", lang), lang)
        sys.exit(CallsvcError.exit_code)
    except typer.Abort:
        typer.echo(text("cli.stopped", language()), err=True)
        sys.exit(CallsvcError.exit_code)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


_KINDS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EROFS: "forbidden",
}


def _say(message: str, hint: str, lang: str) -> None:
    typer.echo(text("cli.error", lang, message=message), err=True)
    if hint:
        typer.echo(text("cli.hint", lang, hint=hint), err=True)

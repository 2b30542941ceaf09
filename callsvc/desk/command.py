"""`callsvc desk`: this computer's microphone, made quiet, as another microphone."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from callsvc.errors import MissingPart, UsageError
from callsvc.locale import text

if TYPE_CHECKING:
    from pathlib import Path

    from audio.devices import Device, Host
    from audio.suppressor import Network
    from callsvc.desk.agent import Agent

PATIENCE_MS = 60.0
"""A desk computer does other things besides, and the cable holds more sound than a telephone line."""

app = typer.Typer(help="Clean this computer's microphone into a virtual one.")


class System(StrEnum):
    """Sound systems."""

    AUTO = "auto"
    PULSE = "pulse"
    PORTAUDIO = "portaudio"


Listing = Annotated[bool, typer.Option("--list", help="List microphones and loudspeakers, and end.")]
Input = Annotated[str, typer.Option("--input", metavar="NAME", help="Microphone: a part of its name.")]
Output = Annotated[str, typer.Option("--output", metavar="NAME", help="Virtual cable: a part of its name.")]
Virtual = Annotated[
    bool,
    typer.Option(
        "--virtual-mic", help="Make a virtual microphone for as long as this runs (PulseAudio, PipeWire)."
    ),
]
Bypass = Annotated[bool, typer.Option("--bypass", help="Let the sound through as it is.")]
Comfort = Annotated[bool, typer.Option(help="Fill what is taken out with noise like the room's.")]
KeyTimes = Annotated[
    bool,
    typer.Option(
        "--key-times", help="Use when keys are pressed, never which (Linux). Asks first, or see --yes."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Consent to --key-times without being asked.")]
Which = Annotated[System, typer.Option("--host", help="Sound system.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the state once a second as JSON.")]


@app.command()
def run(
    listing: Listing = False,
    input_name: Input = "",
    output_name: Output = "",
    virtual_mic: Virtual = False,
    bypass: Bypass = False,
    comfort: Comfort = True,
    key_times: KeyTimes = False,
    yes: Yes = False,
    system: Which = System.AUTO,
    as_json: AsJson = False,
) -> None:
    """Take the typing out of a microphone's sound and play the rest into a virtual cable, until Ctrl-C.

    Choose the cable's other end as the microphone of your telephone program. Nothing is installed.

    callsvc desk --list

    callsvc desk --virtual-mic                             (Linux)

    callsvc desk --input Jabra --output "CABLE Input"      (Windows)
    """
    from audio.devices import DeviceGone, VirtualMicrophone
    from audio.suppressor import Engine
    from callsvc.config import language
    from callsvc.desk import display
    from callsvc.desk.agent import Agent

    lang = language()
    host = sound_system(system)
    if listing:
        for device in _devices(host):
            typer.echo(_described(device, lang))
        return
    if not output_name and not virtual_mic:
        raise UsageError(
            "No output is chosen.",
            hint="Give --output with the name of the virtual cable (callsvc desk --list shows all),"
            " or on Linux --virtual-mic.",
        )
    watched = _keyboards(yes, lang) if key_times else []
    with ExitStack() as stack:
        if virtual_mic:
            if host.name != "pulse":
                raise UsageError(
                    "A virtual microphone can be made with PulseAudio or PipeWire only.",
                    hint="Install a virtual cable and name it with --output; the documentation shows how.",
                )
            try:
                made = stack.enter_context(VirtualMicrophone())
            except DeviceGone as error:
                raise UsageError(
                    "The virtual microphone could not be made: {why}",
                    hint="Does the agent run already? See callsvc desk --list.",
                    why=error.detail,
                ) from error
            output_name = made.sink
            typer.echo(text("desk.virtual", lang, name=made.source), err=True)

        def find(records: bool) -> Device:
            return choose(host.devices(), input_name if records else output_name, records)

        # What is wrong from the start is said at once; what vanishes later is waited for.
        _devices(host)
        for records in (True, False):
            try:
                find(records)
            except DeviceGone as error:
                name = (input_name if records else output_name) or text("desk.default", lang)
                raise UsageError(
                    "The sound device {name} is not there.",
                    hint="callsvc desk --list shows those that are.",
                    name=name,
                ) from error
        engine = stack.enter_context(Engine(_network(), streams=1, comfort=comfort, patience_ms=PATIENCE_MS))
        agent = Agent(engine, host, find, bypass=bypass, hints=bool(watched))
        if watched:
            from callsvc.desk.keys import KeyWatch

            stack.callback(KeyWatch(watched, agent.key).close)
        stop = stack.enter_context(_stopping())
        show = threading.Thread(target=_show, args=(agent, stop, as_json, lang), name="display", daemon=True)
        show.start()
        agent.run(stop)
        show.join(5)
        typer.echo(display.as_json(agent.status()) if as_json else display.end(agent.status(), lang))


def choose(devices: list[Device], name: str, records: bool) -> Device:
    """The device that is meant. Raises DeviceGone when it is away, UsageError when several could be."""
    from audio.devices import DeviceGone

    able = [d for d in devices if (d.records if records else d.plays)]
    if not name:
        found = [d for d in able if d.default]
    else:
        found = [d for d in able if name in (d.id, d.name)]
        found = found or [
            d for d in able if name.casefold() in d.name.casefold() or name.casefold() in d.id.casefold()
        ]
    if not found:
        raise DeviceGone(name)
    if len(found) > 1 and name:
        names = ", ".join(d.name for d in found)
        raise UsageError(
            "{name} may be several: {names}.", hint="Write more of the name.", name=name, names=names
        )
    return found[0]


def sound_system(wanted: System) -> Host:
    """The sound system of this machine. Raises MissingPart when there is none."""
    from audio.devices import PortAudio, Pulse

    if wanted in (System.AUTO, System.PULSE) and Pulse.present():
        return Pulse()
    if wanted in (System.AUTO, System.PORTAUDIO) and PortAudio.present():
        return PortAudio()
    raise _no_system()


def _devices(host: Host) -> list[Device]:
    from audio.devices import DeviceGone

    try:
        return host.devices()
    except DeviceGone as error:
        raise _no_system() from error


def _no_system() -> MissingPart:
    return MissingPart(
        "There is no sound system here that the program can use.",
        hint="Linux: install pulseaudio-utils and see that PulseAudio or PipeWire runs."
        " Windows and macOS: install the program with the extra desk (PyAudio).",
    )


def _described(device: Device, lang: str) -> str:
    kind = text("desk.records" if device.records else "desk.plays", lang)
    standard = text("desk.standard", lang) if device.default else ""
    return f"{kind:12} {device.name}  [{device.id}] {standard}".rstrip()


def _network() -> Network:
    from models.suppressor import WeightsError, load

    try:
        return load()
    except WeightsError as error:
        raise MissingPart(
            "The network's weights are missing or changed.",
            hint="Install the program again: the weights are part of the package.",
        ) from error


def _keyboards(yes: bool, lang: str) -> list[Path]:
    from callsvc.desk.keys import keyboards

    found = keyboards() if sys.platform == "linux" else []
    if not found:
        raise MissingPart(
            "No keyboard can be read here.",
            hint="Without key times the agent works on the sound alone."
            " On Linux they need read access to /dev/input.",
        )
    typer.echo(text("desk.consent", lang), err=True)
    if not yes and not typer.confirm(text("desk.consent_question", lang), err=True):
        return []
    return found


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by Ctrl-C and by SIGTERM."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(agent: Agent, stop: threading.Event, as_json: bool, lang: str) -> None:
    from callsvc.desk import display

    terminal = sys.stderr.isatty()
    last = ""
    while not stop.wait(1.0 if as_json or not terminal else 0.1):
        status = agent.status()
        if as_json:
            typer.echo(display.as_json(status))
        elif terminal:
            sys.stderr.write(f"\r\x1b[2K{display.line(status, lang)}")
            sys.stderr.flush()
        elif status.state != last:
            typer.echo(text(f"desk.state.{status.state}", lang), err=True)
        last = status.state
    if terminal and not as_json:
        sys.stderr.write("\n")

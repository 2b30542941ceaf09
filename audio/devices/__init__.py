"""Microphones and loudspeakers of this machine."""

from audio.devices.device import Capture, Device, DeviceGone, Float, Host, Playback
from audio.devices.portaudio import PortAudio
from audio.devices.pulse import Pulse, VirtualMicrophone

__all__ = [
    "Capture",
    "Device",
    "DeviceGone",
    "Float",
    "Host",
    "Playback",
    "PortAudio",
    "Pulse",
    "VirtualMicrophone",
]

"""What settings are made of: groups of them, ports, and addresses of the kinds that the service can use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsError

from callsvc.errors import ConfigurationError
from callsvc.locale import unfit


def _begins(*beginnings: str, or_words: bool = False) -> AfterValidator:
    """An address of another kind is found when the settings are read, and not in the night when it is first used.

    `or_words` lets pass what is no address but words of the form `host=... dbname=...`.
    """

    def check(address: str | SecretStr) -> str | SecretStr:
        plain = address.get_secret_value() if isinstance(address, SecretStr) else address
        if or_words and "=" in plain.partition("://")[0]:
            return address
        if plain and not plain.startswith(beginnings):
            raise PydanticCustomError(
                "beginning", "must begin with {beginnings}", {"beginnings": " | ".join(beginnings)}
            )
        try:
            urlsplit(plain).port  # noqa: B018  raises where it is none
        except ValueError:
            raise PydanticCustomError("port", "has a port that is no number") from None
        return address

    return AfterValidator(check)


def _safely(issuer: str) -> str:
    """Over the open net only by TLS: whoever could read along would be anybody."""
    parts = urlsplit(issuer)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if issuer and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise PydanticCustomError("https", "an https:// address is needed")
    return issuer


Port = Annotated[int, Field(ge=0, le=65535)]
StoreUrl = Annotated[str, _begins("file://", "s3://")]
BrokerUrl = Annotated[str, _begins("mqtt://", "mqtts://")]
ProviderUrl = Annotated[str, AfterValidator(_safely)]
DatabaseUrl = Annotated[SecretStr, _begins("postgresql://", "postgres://", or_words=True)]


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody said, of flags and of groups of them."""
    said = {key: given(value) if isinstance(value, dict) else value for key, value in flags.items()}
    return {key: value for key, value in said.items() if value is not None and value != {}}


def unusable(error: ValueError) -> ConfigurationError:
    """What is wrong with the settings, each by its name, as an error of ours."""
    if isinstance(error, ValidationError):
        return ConfigurationError("Settings that cannot be used: {faults}.", faults=unfit.said(error))
    if isinstance(error, SettingsError):
        named = re.search(r'"(\w+)"', str(error))
        return ConfigurationError(
            "A setting in the environment cannot be read: {setting}.",
            hint="Lists and tables are written there as JSON: CALLSVC_SIP__PEERS='[\"192.0.2.1\"]'.",
            setting=named[1] if named else error,
        )
    return ConfigurationError("The settings file cannot be read: {why}.", why=unfit.unreadable(error))

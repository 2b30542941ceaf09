"""What settings are made of: groups of them, ports, and addresses of the kinds that the service can use."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _begins(*beginnings: str, or_words: bool = False) -> AfterValidator:
    """An address of another kind is found when the settings are read, and not in the night when it is first used.

    `or_words` lets pass what is no address but words of the form `host=... dbname=...`.
    """

    def check(address: str | SecretStr) -> str | SecretStr:
        plain = address.get_secret_value() if isinstance(address, SecretStr) else address
        if or_words and "=" in plain.partition("://")[0]:
            return address
        if plain and not plain.startswith(beginnings):
            raise ValueError(f"it must begin with {' or '.join(beginnings)}")
        urlsplit(plain).port  # noqa: B018  raises where it is none
        return address

    return AfterValidator(check)


def _safely(issuer: str) -> str:
    """Over the open net only by TLS: whoever could read along would be anybody."""
    parts = urlsplit(issuer)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if issuer and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise ValueError("an https:// address is needed")
    return issuer


Port = Annotated[int, Field(ge=0, le=65535)]
StoreUrl = Annotated[str, _begins("file://", "s3://")]
BrokerUrl = Annotated[str, _begins("mqtt://", "mqtts://")]
ProviderUrl = Annotated[str, AfterValidator(_safely)]
DatabaseUrl = Annotated[SecretStr, _begins("postgresql://", "postgres://", or_words=True)]


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

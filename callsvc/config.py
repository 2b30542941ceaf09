"""Settings: a file, then the environment, then flags; the later wins.

    callsvc.toml            [web] port = 8080
    CALLSVC_WEB__PORT=8080  a group and its field are joined by two underscores
    --data-dir DIR          flags of the commands

The page docs/reference/settings.md is made from the descriptions below.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from callsvc.errors import ConfigurationError
from callsvc.locale import LANGUAGES
from callsvc.setting import BrokerUrl, DatabaseUrl, Group, Port, ProviderUrl, StoreUrl, given, unusable
from callsvc.types import Profile, Role

FILE_VARIABLE = "CALLSVC_CONFIG"


class WebSettings(Group):
    """Pages and the API."""

    host: str = Field("127.0.0.1", description="Address that the pages are served on.")
    port: Port = Field(8080, description="Port of the pages; 0 takes any free one.")
    public_url: str = Field(
        "", description="Address that browsers use, when it is another than host and port."
    )
    lock_after_min: float = Field(
        15.0,
        ge=0,
        description="Minutes without a key or a pointer after which a screen locks, warned of a minute before; 0: never.",
    )
    second_factor_roles: tuple[Role, ...] = Field(
        (),
        description="Roles whose local accounts must have an authenticator or a passkey; who has neither can only get one.",
    )


class OpenIdSettings(Group):
    """Sign-in by the organisation's own accounts (OpenID Connect). Roles then follow from the provider's claims."""

    issuer: ProviderUrl = Field(
        "", description="Address of the provider, just as it names itself; empty: local accounts alone."
    )
    client_id: str = Field("", description="What the provider knows this service by.")
    client_secret: SecretStr = Field(
        SecretStr(""), description="Secret that the provider gave; empty for a client without one."
    )
    label: str = Field("", description="Name of the provider, as the sign-in page shows it.")
    scopes: tuple[str, ...] = Field(
        ("openid", "profile"), description="What is asked for; many need one more for groups."
    )
    name_claim: str = Field("preferred_username", description="Claim that holds the user name.")
    display_claim: str = Field("name", description="Claim that holds the person's name.")
    roles_claim: str = Field(
        "groups", description="Claim that holds groups or roles; dots lead inwards: realm_access.roles"
    )
    roles: dict[str, tuple[Role, ...]] = Field(
        default={},
        description="Which roles follow from which value of that claim: {'rlc' = ['operator']}."
        " Who has none of the values is not let in.",
    )
    prompt: Literal["", "login", "select_account"] = Field(
        "", description="`login` has the provider ask anew at each sign-in: right where computers are shared."
    )
    local_accounts: bool = Field(
        True, description="Whether local accounts can still sign in, by password. Keep one for bad days."
    )


class MediaSettings(Group):
    """The media node: calls and their sound."""

    host: str = Field(
        "127.0.0.1", description="Address for signalling, RTP and WebRTC. Only this one is bound."
    )
    port: Port = Field(8081, description="Port for signalling over HTTP; 0 takes any free one.")
    public_url: str = Field(
        "", description="Address that clients signal to, when it is another than host and port."
    )
    nodes: dict[str, str] = Field(
        default={},
        description="Where there are several nodes, for the pages: the address that clients signal to, by node_id."
        " A node that is not named here is sought at public_url.",
    )
    rtp_ports: tuple[int, int] = Field(
        (0, 0), description="First and last UDP port for plain RTP; 0,0 takes free ones."
    )
    node_id: str = Field(
        "node-1", pattern=r"^[a-z0-9-]{1,40}$", description="Name of this node, unlike any other's."
    )
    max_calls: int = Field(50, ge=1, description="Calls at once; more are refused with a clear answer.")
    vanish_after_s: float = Field(
        10.0, gt=0, description="Seconds without a sign of life until a leg counts as gone."
    )
    return_within_s: float = Field(
        30.0,
        gt=0,
        description="The same for an operator in a browser: a lid may be closed by mistake, and the caller is not to"
        " pay for it.",
    )
    away_told_after_s: float = Field(
        3.0,
        ge=0,
        description="Seconds without a sign of life from the operator until the caller hears the announcement `wait`,"
        " and again every ten seconds; 0: never.",
    )
    spool_min_free_mb: int = Field(
        200, ge=0, description="Free space, in MB, under which recording raises the alarm."
    )
    second_spool: Path | None = Field(
        None,
        description="Directory on another disk, for recordings while data_dir's is full or gone; a running one moves there.",
    )
    mask_holders: tuple[Path, ...] = Field(
        (), description="Public keys of those of whom two can open what is masked; none: it is not kept."
    )
    keep_raw: Literal["never", "demo", "always"] = Field(
        "demo", description="Whether the operator's unprocessed microphone is kept too, for quality review."
    )
    announcements: Path | None = Field(
        None, description="Directory with announcements of your own and their catalogue.toml."
    )
    turn_urls: tuple[str, ...] = Field(
        (), description="TURN servers for browsers that cannot reach the node: turn:host:3478?transport=udp."
    )
    turn_secret: SecretStr = Field(
        SecretStr(""), description="Secret that the TURN servers share (coturn: static-auth-secret)."
    )
    line_profiles: Path | None = Field(
        None,
        description="File with line profiles of your own; without one, those that come with the service.",
    )


class AsteriskSettings(Group):
    """Calls that an Asterisk hands over, by its REST interface (ARI) and AudioSocket."""

    url: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="http://host:8088 of Asterisk; empty: there is none."
    )
    user: str = Field("callsvc", description="User of Asterisk's REST interface.")
    password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    app: str = Field("callsvc", description="Name of the Stasis application in the dial plan.")
    host: str = Field("127.0.0.1", description="Address that AudioSocket is listened for on.")
    port: Port = Field(9092, description="Port for AudioSocket; 0 takes any free one.")
    audio_address: str = Field(
        "", description="host:port that Asterisk connects to, when it is another than host and port."
    )
    peers: tuple[str, ...] = Field(
        ("127.0.0.1",), description="Addresses and networks that AudioSockets may come from."
    )
    format: Literal["slin", "slin16", "slin48"] = Field(
        "slin16", description="Sound between Asterisk and here; before Asterisk 22.7 (20.17, 23.1) only slin."
    )
    operator: str = Field(
        "", description="Endpoint that is rung, PJSIP/operator; empty: the operator answers in the browser."
    )
    profile: Profile = Field(Profile.REPORT, description="Line profile of calls that name none.")
    ring_s: int = Field(60, ge=1, le=600, description="Seconds that the operator's telephone rings.")


class SipLine(Group):
    """What becomes of calls to some numbers."""

    number: str = Field(..., description="The called number, or a pattern: 114*")
    profile: Profile = Field(..., description="Line profile.")
    operator: str = Field("", description="The operator's telephone; empty: the browser.")


class SipSettings(Group):
    """Calls by SIP, from a trunk, a PBX or a proxy."""

    host: str = Field(
        "", description="Address that SIP and its sound are bound to, one and no wildcard; empty: no SIP."
    )
    port: Port = Field(5060, description="UDP port for SIP; 0 takes any free one.")
    rtp_ports: tuple[int, int] = Field(
        (0, 0),
        description="First and last UDP port for sound and its reports, in pairs; 0,0 takes free ones.",
    )
    peers: tuple[str, ...] = Field(
        (), description="Addresses and networks that may call. Nobody else is answered."
    )
    operator: str = Field(
        "",
        description="The operator's telephone, sip:100@192.0.2.7:5060; empty: the operator answers in the browser.",
    )
    profile: Profile = Field(Profile.REPORT, description="Line profile of numbers that no line names.")
    lines: tuple[SipLine, ...] = Field(
        (), description="Numbers with a profile and an operator of their own: number, profile, operator."
    )
    registrar: str = Field(
        "",
        description="Where to register, sip:user@192.0.2.1:5060; empty: nowhere, the trunk knows us by address.",
    )
    user: str = Field("", description="User name when the registrar or the next hop asks for one (digest).")
    password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    ring_s: int = Field(180, ge=1, le=600, description="Seconds that the operator's telephone rings.")
    session_s: int = Field(
        1800, ge=90, description="Seconds without a refresh after which a dialog is over (RFC 4028)."
    )
    calls_per_s: float = Field(10.0, gt=0, description="New calls a second; more are told to come again.")
    burst: int = Field(20, ge=1, description="New calls at once, before that rate holds.")


class MqttSettings(Group):
    """The message broker."""

    url: BrokerUrl = Field("", description="mqtt://host:port of the broker; empty starts the embedded one.")
    port: Port = Field(1883, description="Port of the embedded broker, on loopback; 0 takes any free one.")
    user: str = Field("callsvc", description="User name at the broker.")
    password: SecretStr = Field(
        SecretStr(""), description="Password at the broker; empty uses the one in data_dir/keys."
    )


class DatabaseSettings(Group):
    """PostgreSQL."""

    url: DatabaseUrl = Field(SecretStr(""), description="postgresql://... ; empty starts the embedded one.")
    pool_max: int = Field(10, ge=2, description="Connections per process at most.")


class StoreSettings(Group):
    """The object store for sealed recordings."""

    url: StoreUrl = Field("", description="file:///path or s3://bucket/prefix; empty uses data_dir/objects.")
    keys_url: StoreUrl = Field(
        "",
        description="Where the recordings' wrapped keys lie instead, so that they can be destroyed: needed where url"
        " is a bucket with object lock.",
    )
    endpoint: str = Field("", description="Address of the S3 service, when it is not Amazon's.")
    region: str = Field("", description="Region of the bucket, where the service has regions.")
    access_key: str = Field("", description="Access key id; empty takes AWS_ACCESS_KEY_ID.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Secret access key; empty takes AWS_SECRET_ACCESS_KEY."
    )


class KeySettings(Group):
    """The installation's keys: what wraps each recording's own key, and signs."""

    source: Literal["file", "credential", "pkcs11"] = Field(
        "file", description="data_dir/keys, a systemd credential, or a security module."
    )
    credential: str = Field(
        "callsvc-keys", pattern=r"^[A-Za-z0-9._-]+$", description="Name of the systemd credential."
    )
    pkcs11_module: Path | None = Field(None, description="The security module's library (.so).")
    pkcs11_token: str = Field("callsvc", description="Label of the token in the module.")
    pkcs11_pin_file: Path | None = Field(
        None, description="File that holds the token's PIN, such as a systemd credential."
    )


class TimestampSettings(Group):
    """The time-stamping authority (RFC 3161) that countersigns sealed recordings."""

    url: str = Field("", description="http(s) address of the authority; empty asks none.")
    certificate: Path | None = Field(
        None, description="File with the certificates (PEM) that vouch for the authority."
    )


class SuppressorSettings(Group):
    """The keystroke suppressor."""

    enabled: bool = Field(
        True, description="Off passes the operator's sound through as it is; every call shows it."
    )
    comfort_noise: bool = Field(True, description="Fill what is removed with noise like the room's own.")


class TranscriptSettings(Group):
    """Speech to text."""

    model_dir: Path | None = Field(
        None,
        description="Directory of a faster-whisper model, such as KB-Whisper, for transcripts; goes before the one"
        " that `callsvc models use final` chose.",
    )
    live_model_dir: Path | None = Field(
        None,
        description="Directory of a small model for captions while the call goes on; goes before the one that"
        " `callsvc models use live` chose.",
    )
    language: str = Field("sv", pattern=r"^[a-z]{2}$", description="Language that is spoken, as two letters.")
    other_languages: tuple[str, ...] = Field(
        ("en", "ar", "so", "pl"),
        description="Languages that may be spoken instead; a stretch in any other keeps its sound and gets no words.",
    )


class WorkerSettings(Group):
    """Background jobs."""

    host: str = Field("127.0.0.1", description="Address for health and metrics.")
    port: Port = Field(8082, description="Port for health and metrics; 0 takes any free one.")
    concurrency: int = Field(2, ge=1, le=64, description="Jobs at once.")


class LogSettings(Group):
    """Logs."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is written."
    )
    format: Literal["json", "text"] = Field("json", description="Form on standard error.")
    personal: bool = Field(
        False, description="Keep personal data in the logs. For a fault hunt, with permission."
    )


class Settings(BaseSettings):
    """All settings of the service."""

    model_config = SettingsConfigDict(
        env_prefix="CALLSVC_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(
        Path("var/callsvc"), description="Directory for everything that the service keeps."
    )
    language: Literal["sv", "en"] = Field("sv", description="Language of messages on the command line.")
    web: WebSettings = WebSettings()
    openid: OpenIdSettings = OpenIdSettings()
    media: MediaSettings = MediaSettings()
    asterisk: AsteriskSettings = AsteriskSettings()
    sip: SipSettings = SipSettings()
    mqtt: MqttSettings = MqttSettings()
    database: DatabaseSettings = DatabaseSettings()
    store: StoreSettings = StoreSettings()
    keys: KeySettings = KeySettings()
    timestamp: TimestampSettings = TimestampSettings()
    suppressor: SuppressorSettings = SuppressorSettings()
    transcripts: TranscriptSettings = TranscriptSettings()
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = TomlConfigSettingsSource(settings_cls, Path(os.environ.get(FILE_VARIABLE, "callsvc.toml")))
        return init_settings, env_settings, file


def load(**flags: Any) -> Settings:
    """The settings in force, with `flags` (those that are not None) on top; a group's as `web={"port": 0}`.

    Raises `ConfigurationError` that names each setting that cannot be used.
    """
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        raise ConfigurationError(
            "The settings file {file} is not there.",
            hint="Correct {variable}.",
            file=file,
            variable=FILE_VARIABLE,
        )
    try:
        return Settings(**given(flags))
    except ValueError as error:  # pydantic's and tomllib's are
        raise unusable(error) from None


def language() -> str:
    """The one in the settings; where they cannot be read, the one that they have when nobody says anything."""
    try:
        return load().language
    except (ConfigurationError, OSError):
        return LANGUAGES[0]

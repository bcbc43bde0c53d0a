"""Everything that can be set, with its default and its reason; read once, handed down, never looked up elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from headwater.errors import BadParameter

_Address = Annotated[str, Field(pattern=r"^https?://[^\s/?#@\\]+/[^\s#]*$")]


class Settings(BaseSettings):
    """Settings from arguments, `HEADWATER_*` variables and `headwater.toml` in the working folder, in this order.

    >>> Settings(data="/tmp/x", port=9000).port
    9000
    """

    model_config = SettingsConfigDict(env_prefix="HEADWATER_", toml_file="headwater.toml", extra="forbid", frozen=True)

    data: Path = Field(Path("headwater-data"), description="The folder that holds the ledger, the store and the index.")
    base_iri: str = Field(
        "http://127.0.0.1:8321/",
        pattern=r"^https?://[^\s<>\"{}|\\^`]+/$",
        description="What the IRIs of objects named here begin with. Fixed for a data folder when it is first opened.",
    )
    store: str = Field(
        "embedded",
        description="The triplestore: 'embedded' (on disk), 'memory', or a SPARQL 1.1 server by the address of its queries, "
        "'sparql+http://…' or 'sparql+https://…'.",
    )
    store_update: str = Field(
        "",
        description="Where that server takes updates, http://… or https://…; empty: looked for beside the address of queries.",
    )
    store_user: str = Field("", description="The user by which that server is asked (basic or digest authentication).")
    store_password: SecretStr = Field(SecretStr(""), description="Its password. It is shown nowhere.")
    store_timeout_s: float = Field(60.0, gt=0, description="How many seconds a single request of ours to that server may take.")
    ledger: str = Field(
        "",
        repr=False,  # it may hold a password
        description="The ledger's address: 'postgresql+psycopg://USER@HOST/DATABASE', or 'sqlite:////FILE'; empty means SQLite "
        "inside the data folder.",
    )
    role: Literal["writer", "reader", "standby"] = Field(
        "writer",
        description="'writer' writes the ledger, alone; a 'reader' follows it and answers everything but writes; a 'standby' is "
        "a reader that becomes the writer when there is none.",
    )
    writer_url: str = Field(
        "", pattern=r"^(https?://[^\s<>\"{}|\\^`]+)?$", description="Where a reader sends those who want to write."
    )
    poll_s: float = Field(0.05, gt=0, le=60, description="Seconds between two looks of a reader at the ledger.")
    at_least_wait_s: float = Field(
        5.0, ge=0, le=300, description="Seconds that a request waits for the entry that its header Headwater-At-Least names."
    )
    max_behind_s: float = Field(
        10.0, ge=0, description="A reader that knows itself behind the ledger for so many seconds says that it is not ready."
    )
    max_age_s: float = Field(
        0.0,
        ge=0,
        description="So many seconds after it last reached the ledger a reader says that it is not ready; 0: never, as all "
        "readers would go at once.",
    )
    host: str = Field("127.0.0.1", description="The address that 'serve' listens on.")
    port: int = Field(8321, ge=0, le=65535, description="The port that 'serve' listens on.")
    default_visibility: str = Field(
        "public",
        pattern=r"^(public|internal|project:[A-Za-z0-9][A-Za-z0-9._-]{0,63})$",
        description="The visibility of records that are written without naming one.",
    )
    max_upload_mb: int = Field(256, ge=1, description="The largest request body or single source file, in MiB.")
    max_query_length: int = Field(100_000, ge=100, description="The longest SPARQL text accepted, in characters.")
    max_update_length: int = Field(20_000_000, ge=100, description="The longest SPARQL update accepted, in characters.")
    max_update_statements: int = Field(
        2_000_000, ge=1, description="How many statements the graphs that one SPARQL update may touch may hold together."
    )
    query_timeout_s: float = Field(60.0, gt=0, description="How many seconds a stranger's SPARQL query may take.")
    query_memory_mb: int = Field(2048, ge=64, description="How much memory such a query may take, in MiB.")
    query_workers: int = Field(
        0,
        ge=0,
        le=256,
        description="How many such queries run at once, each in a process; 0 means one for each processor. As many that have "
        "gone on for a second run beside them with low priority.",
    )
    query_staleness_s: float = Field(
        0.0, ge=0, description="How old, in seconds, the state may be that such queries see; 0 means that each sees every write."
    )
    query_cache_mb: int = Field(
        64, ge=0, description="How many MiB of answers to SPARQL queries are kept for asking again, by query and by request."
    )
    max_answer_mb: int = Field(256, ge=1, description="The largest SPARQL answer, in MiB; a larger one is an error, not a cut.")
    service_allowed: tuple[_Address, ...] = Field(
        (),
        description="The SPARQL endpoints, as a JSON list, that queries may ask by SERVICE; an address that ends in '/' allows "
        "all that begin so. Servers of private networks are never asked.",
    )
    load_allowed: tuple[_Address, ...] = Field(
        (), description="The documents, as a JSON list in the same form, that updates may fetch by LOAD."
    )
    cors_origins: tuple[str, ...] = Field(
        (),
        description="Web origins, as a JSON list, whose pages may ask in their visitors' browsers, as strangers who only read; "
        "'*' is every origin.",
    )
    queries_per_reader: int = Field(
        0,
        ge=0,
        description="How many SPARQL queries of one reader run at once, others wait; 0 means all workers but one.",
    )
    requests_per_minute: int = Field(
        1200,
        ge=0,
        description="How many SPARQL and other expensive requests a reader may make in a minute; without a token, an address "
        "(of IPv6 a /64); 0 means any number. Programs on this machine are exempt.",
    )
    requests_at_once: int = Field(
        300, ge=1, description="How many of these a reader who has paused may make in one go before the rate holds."
    )
    request_timeout_s: float = Field(
        30.0,
        gt=0,
        description="Seconds that the head of a request may take to arrive; its body, besides, one for each 10,000 bytes.",
    )
    query_log_mb: int = Field(
        32, ge=0, description="How large the log of what was asked may grow, in MiB, in the folder 'logs' of the data; 0: none."
    )
    metrics: Literal["admin", "public"] = Field(
        "admin",
        description="Who may read /metrics: this machine and tokens with scope 'admin' ('admin'), or everybody ('public').",
    )
    min_free_mb: int = Field(
        128, ge=0, description="The service says that it is not ready when less than this is free on the disk, in MiB."
    )
    audits: Literal["automatic", "manual"] = Field(
        "automatic",
        description="Whether 'serve' audits everything by itself when that is due ('automatic'), or only when asked ('manual').",
    )
    audit_pause_s: int = Field(60, ge=0, description="Seconds that lie at least between two audits that begin by themselves.")
    resolve_timeout_s: int = Field(10, ge=1, le=120, description="Seconds that looking at one stated place may take.")
    resolve_private: bool = Field(
        False, description="Whether web addresses of private networks and of this machine are looked at, too."
    )
    resolve_folders: tuple[Path, ...] = Field(
        (), description="The folders, as a JSON list, that 'serve' may look into for stated places; none by default."
    )
    resolve_max_mb: int = Field(1024, ge=0, description="The largest local file that is read to compare its digest, in MiB.")
    batch_records: int = Field(256, ge=1, description="How many records of an import go into one ledger transaction.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**overrides: object) -> Settings:
    """Read the settings; a wrong value becomes an error that names the setting.

    >>> load(port="seventy")
    Traceback (most recent call last):
    ...
    headwater.errors.BadParameter: port: Input should be a valid integer, unable to parse string as an integer
    """
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadParameter(
            f"{name}: {first['msg']}", remedy="See docs/reference/settings.md for what each setting takes."
        ) from error

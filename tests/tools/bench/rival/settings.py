"""The settings, read from the environment."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`mongodb_url` names the database, too. `jwt_secret_key` is the hub's, so that the same tokens are valid here."""

    model_config = SettingsConfigDict(env_prefix="RIVAL_")

    mongodb_url: str
    jwt_secret_key: str
    host: str = "127.0.0.1"
    port: int = 8100
    access_token_minutes: int = 15
    refresh_token_days: int = 30

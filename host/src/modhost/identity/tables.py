"""The tables of users, roles, tokens and sessions; of secrets they hold the hash only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index, MetaData, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from modhost.database import Identifier, UtcDateTime

SCHEMA = "modhost"


class IdentityTable(SQLModel, registry=registry(metadata=MetaData(schema=SCHEMA))):
    """Base of the host's own tables, in a schema and a registry of their own."""


class User(IdentityTable, table=True):
    """A user who logs in; without a password, by a one-time link only."""

    __tablename__ = "users"

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str
    name_key: str = Field(unique=True)
    """The name as it is compared: names that look alike are the same."""
    password_hash: str | None = Field(default=None, repr=False)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class UserIdentity(IdentityTable, table=True):
    """The identity of a user at an external provider; issuer and subject never change."""

    __tablename__ = "user_identities"
    __table_args__ = (Index("ix_modhost_user_identities_user", "user_id"),)

    issuer: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    user_id: UUID = Field(sa_type=Identifier)
    created_at: datetime = Field(sa_type=UtcDateTime)


class UserNetwork(IdentityTable, table=True):
    """A network that a user has logged in from: an IPv4 address, or an IPv6 /64."""

    __tablename__ = "user_networks"

    user_id: UUID = Field(primary_key=True, sa_type=Identifier)
    network: str = Field(primary_key=True)
    last_login_at: datetime = Field(sa_type=UtcDateTime)


class Role(IdentityTable, table=True):
    """A named set of grants, in addition to those that permissions declare by `default_roles`."""

    __tablename__ = "roles"

    name: str = Field(primary_key=True)
    permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class UserRole(IdentityTable, table=True):
    """A user's role, by name: a role that only `default_roles` declare has no row."""

    __tablename__ = "user_roles"

    user_id: UUID = Field(primary_key=True, sa_type=Identifier)
    role: str = Field(primary_key=True)


class Token(IdentityTable, table=True):
    """A program's key to the API; revoked ones stay, so that the audit can name them."""

    __tablename__ = "tokens"
    __table_args__ = (
        Index(
            "ix_modhost_tokens_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str
    secret_hash: str = Field(unique=True, repr=False)
    permissions: list[str] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str | None = None
    """The id of the principal who made it; None for the command line."""
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TokenRole(IdentityTable, table=True):
    """A token's role, by name."""

    __tablename__ = "token_roles"

    token_id: UUID = Field(primary_key=True, sa_type=Identifier)
    role: str = Field(primary_key=True)


class BrowserSession(IdentityTable, table=True):
    """The session of a browser; deleting the row logs it out."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_modhost_sessions_user", "user_id"),
        Index("ix_modhost_sessions_expires", "expires_at"),
    )

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    secret_hash: str = Field(unique=True, repr=False)
    user_id: UUID = Field(sa_type=Identifier)
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    address: str | None = None
    agent: str | None = None


class LoginLink(IdentityTable, table=True):
    """A link that logs in once."""

    __tablename__ = "login_links"

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    secret_hash: str = Field(unique=True, repr=False)
    user_id: UUID = Field(sa_type=Identifier)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

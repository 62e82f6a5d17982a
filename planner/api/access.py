"""Who may come in: settings of the doors, tokens, and the check of hosts and origins before anything else.

    loopback, nothing configured     whoever sits at the machine, as nobody in particular
    tokens or a login configured     each request says who it is from; else it is refused
    opened to all in so many words   anybody, as nobody in particular

A page of another site that a browser on this machine shows could send requests here too. It cannot name this host
(a rebound name is not one of ours) and its origin is not this server, so it is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from planner.errors import InputError

__all__ = ["Access", "Token", "is_loopback", "new_token", "read_tokens"]

_SHORTEST_TOKEN: Final = 24
_SCHEME: Final = "sha256:"
_WRITABLE_BY_OTHERS: Final = 0o022


class Token(BaseModel):
    """A token that is known, by its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    person: str
    """Whose it is; also whose workspace it opens. Unit: name. Source: the operator."""
    sha256: str
    """Hash of the token; tokens are random, so a plain hash is not guessed back. Unit: hex. Source: the operator."""


class Access(BaseModel):
    """What the doors let in."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tokens: tuple[Token, ...] = ()
    """Who may use the API. Unit: tokens. Source: the operator."""
    login: bool = False
    """Whether pages ask for Streamlit's login. Unit: yes or no. Source: the operator."""
    anybody: bool = False
    """Whether others than this machine come in without saying who they are. Unit: yes or no. Source: the operator."""
    hosts: tuple[str, ...] = ()
    """Names under which this server is reached, beside its addresses. Unit: host names. Source: the operator."""
    upload_mib: float = Field(default=2048.0, gt=0)
    """Largest upload. Unit: MiB. Source: 50 million readings as CSV, measured."""
    question_mib: float = Field(default=1.0, gt=0)
    """Largest scenario. Unit: MiB. Source: a hundred times a scenario of all models with every setting."""
    uploads_at_once: int = Field(default=4, ge=1)
    """Uploads read side by side; others wait. Unit: uploads. Source: each may take half a GiB to read."""

    @property
    def asks(self) -> bool:
        """Whether a request must say who it is from."""
        return bool(self.tokens) or self.login

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """What ``planner serve`` handed over: ``PLANNER_TOKEN``, ``PLANNER_TOKEN_FILE``, ``PLANNER_LOGIN``,
        ``PLANNER_ANYBODY``, ``PLANNER_HOSTS`` (commas between) and ``PLANNER_UPLOAD_MIB``.

        Raises:
            InputError: a token is too short, or the file of tokens cannot be read or trusted.
        """
        told = os.environ if environment is None else environment
        tokens = read_tokens(Path(told["PLANNER_TOKEN_FILE"])) if told.get("PLANNER_TOKEN_FILE") else ()
        if told.get("PLANNER_TOKEN"):
            tokens = (*tokens, Token(person="token", sha256=_hashed(_long_enough(told["PLANNER_TOKEN"]))))
        given = {"upload_mib": told["PLANNER_UPLOAD_MIB"]} if told.get("PLANNER_UPLOAD_MIB") else {}
        return cls.model_validate(
            {
                "tokens": tokens,
                "login": bool(told.get("PLANNER_LOGIN")),
                "anybody": bool(told.get("PLANNER_ANYBODY")),
                "hosts": tuple(
                    name.strip().lower() for name in told.get("PLANNER_HOSTS", "").split(",") if name.strip()
                ),
                **given,
            }
        )

    def person(self, token: str) -> str | None:
        """Whose token it is; None: nobody's. Takes as long for a wrong one as for a right one."""
        digest = _hashed(token)
        fits = [known.person for known in self.tokens if hmac.compare_digest(known.sha256, digest)]
        return fits[0] if fits else None

    def knows(self, host: str) -> bool:
        """Whether a Host header may name this server: an address, localhost, this machine's name, or one of `hosts`.

        Where requests say who they are from and no names are given, any will do: who leads a browser here by another
        name has neither its token nor its cookie.
        """
        name = _host_name(host)
        if name in {"localhost", socket.gethostname().lower(), *self.hosts} or _is_address(name):
            return True
        return self.asks and not self.hosts

    def same_origin(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` was served from here."""
        return urlsplit(origin).netloc.lower() == host.lower() or _host_name(urlsplit(origin).netloc) in self.hosts


def is_loopback(address: str) -> bool:
    """Whether an address or name is this machine's own, reached from nowhere else.

    >>> [is_loopback(each) for each in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1", "")]
    [True, True, True, False, False, False]
    """
    return address == "localhost" or (_is_address(address) and ipaddress.ip_address(address).is_loopback)


def new_token(person: str) -> tuple[str, str]:
    """A token for a person, and the line of the file of tokens that lets it in.

    Raises:
        InputError: the name is empty, or would not stand on one line.
    """
    if not person or any(c.isspace() or not c.isprintable() for c in person) or person.startswith("#"):
        raise InputError(f"person {person!r}: expected a name without spaces, such as ann or ann@example.com")
    token = secrets.token_urlsafe(32)
    return token, f"{person} {_SCHEME}{_hashed(token)}"


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file: a line each, ``PERSON sha256:HEX``; lines that begin with # are left out.

    Raises:
        InputError: the file cannot be read, others may write to it, a line is none, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the tokens ({getattr(error, 'strerror', None) or error})") from None
    if mode & _WRITABLE_BY_OTHERS:
        raise InputError(f"{path}: others may write to it, and so let themselves in; chmod 600 {path}")
    numbered = [(n, line.split()) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise InputError(f"{path}: holds no token; planner token NAME >> {path} adds one")
    return tuple(_token(f"{path}, line {number}", words) for number, words in numbered)


def _token(place: str, words: list[str]) -> Token:
    digest = words[1].removeprefix(_SCHEME) if len(words) == 2 and words[1].startswith(_SCHEME) else ""
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise InputError(f"{place}: expected PERSON sha256:HEX as planner token writes it")
    return Token(person=words[0], sha256=digest)


def _long_enough(token: str) -> str:
    if len(token) < _SHORTEST_TOKEN:
        raise InputError(
            f"PLANNER_TOKEN: expected at least {_SHORTEST_TOKEN} random characters; planner token makes one"
        )
    return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _host_name(host: str) -> str:
    """The name in a Host header, without its port.

    >>> _host_name("LOCALHOST:8501"), _host_name("[::1]:80"), _host_name("a.example")
    ('localhost', '::1', 'a.example')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

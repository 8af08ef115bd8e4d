"""What an address that we call says, read once and strictly, and what of it may be shown."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+", re.ASCII)


@dataclass(frozen=True)
class Target:
    """Where a request goes; `path` has the query, and a fragment is nowhere."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises ValueError saying what is wrong with the address."""
        if not all("!" <= char <= "~" for char in url):
            raise ValueError("it has spaces or characters outside ASCII")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError("only https addresses are called")
        if "@" in parts.netloc:
            raise ValueError("it carries a user name")
        host = parts.hostname or ""
        if not _HOST.fullmatch(host):
            raise ValueError("it has no proper host name")
        port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port, path)

    @property
    def host_and_port(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def shown(url: str) -> str:
    """An address that is safe to show: no user, query or fragment."""
    try:
        target = Target.of(url)
    except ValueError:
        return "(an address that is not shown)"
    return f"{target.scheme}://{target.host_and_port}{target.path.partition('?')[0]}"

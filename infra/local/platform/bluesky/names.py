"""The names of AT Protocol: DIDs, content ids and record keys.

Specs: atproto.com/specs/did, /specs/tid, /specs/handle, /specs/record-key; CIDs: github.com/multiformats/cid.
"""

from __future__ import annotations

import json
import re
from base64 import b32encode
from hashlib import sha256
from typing import Any

_BASE32 = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[234567abcdefghij][234567a-z]{12}")
_RECORD_KEY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._:~-]{1,512}")
_NSID = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z][a-zA-Z0-9-]*)+\.[a-zA-Z][a-zA-Z0-9]*")
_HANDLE = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# CIDv1, then the codec (raw bytes, or DAG-CBOR), then sha2-256 of 32 bytes.
_RAW, _DAG_CBOR = bytes.fromhex("01551220"), bytes.fromhex("01711220")


def did_of(handle: str) -> str:
    """A DID in did:plc's form; made from the handle, so that a profile made anew keeps it."""
    return f"did:plc:{_base32(sha256(handle.lower().encode()).digest())[:24]}"


def blob_cid(data: bytes) -> str:
    """The CID of an upload, the same that every server gives these bytes."""
    return "b" + _base32(_RAW + sha256(data).digest())


def record_cid(value: Any) -> str:
    """A record's content id: equal for equal records, in a CID's form, but made of JSON and not of CBOR."""
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "b" + _base32(_DAG_CBOR + sha256(written.encode()).digest())


def tid(micros: int) -> str:
    """The TID of a moment, in microseconds since 1970."""
    value = micros << 10
    return "".join(_BASE32[value >> shift & 31] for shift in range(60, -1, -5))


def is_tid(text: str) -> bool:
    """Whether a text is a TID."""
    return _TID.fullmatch(text) is not None


def is_record_key(text: str) -> bool:
    """Whether a text may name a record of any kind."""
    return _RECORD_KEY.fullmatch(text) is not None


def is_nsid(text: str) -> bool:
    """Whether a text may name a collection."""
    return len(text) <= 317 and _NSID.fullmatch(text) is not None


def is_handle(text: str) -> bool:
    """Whether a text is a handle in lower case: a domain name of two labels or more."""
    return len(text) <= 253 and _HANDLE.fullmatch(text) is not None


def _base32(data: bytes) -> str:
    return b32encode(data).decode().lower().rstrip("=")

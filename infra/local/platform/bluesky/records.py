"""com.atproto.repo.* and com.atproto.sync.getBlob: uploads and records.

Posts are checked as a PDS checks them; records of any other collection are kept unread and have no effect.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Response

from infra.local.platform.accounts import Account
from infra.local.platform.bluesky.call import DEACTIVATED, TAKEN_DOWN, XrpcCall, XrpcError
from infra.local.platform.bluesky.lexicon import POST, LexiconError, check_post
from infra.local.platform.bluesky.names import is_nsid, is_record_key, is_tid, record_cid
from infra.local.platform.bluesky.repos import ANY, KeyTakenError, Record, Repos, SwapError, UnknownBlobError
from infra.local.platform.bluesky.sessions import Endpoint
from infra.local.platform.media import media_file, sniff
from infra.local.platform.settings import Stats
from infra.local.serving.answers import answer

_NO_SUCH_RECORD = XrpcError("Could not locate record")
_NO_SUCH_BLOB = XrpcError("Blob not found")


class Records:
    """The endpoints; each takes the call."""

    def __init__(self, repos: Repos, stats: Stats) -> None:
        self._repos = repos
        self._stats = stats

    def endpoints(self) -> dict[str, Endpoint]:
        """What can be called, with its HTTP method."""
        return {
            "POST com.atproto.repo.uploadBlob": self.upload,
            "POST com.atproto.repo.createRecord": self.create,
            "POST com.atproto.repo.putRecord": self.put,
            "POST com.atproto.repo.deleteRecord": self.delete,
            "GET com.atproto.repo.getRecord": self.get,
            "GET com.atproto.repo.listRecords": self.list,
            "GET com.atproto.sync.getBlob": self.blob,
        }

    def upload(self, call: XrpcCall) -> Response:
        """Take a file of any kind; whether a record may hold it shows when one does."""
        account = call.reader()
        data = call.request.get_data()
        mime = sniff(data) or call.request.mimetype or "application/octet-stream"
        cid = self._repos.save_blob(account, data, mime)
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(data)}
        return answer({"blob": blob})

    def create(self, call: XrpcCall) -> Response:
        """Write a record under a new key; a used one is a bare 500, as a PDS answers."""
        account = call.writer()
        rkey = call.text("rkey", "") or self._repos.next_tid()
        try:
            return self._write(call, account, rkey, create=True)
        except KeyTakenError:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise XrpcError("Internal Server Error", "InternalServerError", status) from None

    def put(self, call: XrpcCall) -> Response:
        """Write a record under a key, new or not; an identical one changes nothing."""
        return self._write(call, call.writer(), call.text("rkey"), create=False)

    def _write(self, call: XrpcCall, account: Account, rkey: str, *, create: bool) -> Response:
        collection, value = _collection(call), _value(call)
        _check_key(collection, rkey)
        swap = call.body.get("swapRecord", ANY)
        if collection == POST:
            try:
                check_post(value)
            except LexiconError as wrong:
                raise XrpcError(f"Invalid {POST} record: {wrong}") from None
        try:
            record, changed = self._repos.put(account, collection, rkey, value, swap=swap, create=create)
        except SwapError as other:
            raise XrpcError(f"Record was at {other.cid or 'null'}", "InvalidSwap") from None
        except UnknownBlobError as unknown:
            raise XrpcError(f"Could not find blob: {unknown}", "BlobNotFound") from None
        if not changed:
            self._stats.count_replay()
        commit = self._commit(account, record.cid) if changed else {}
        status = "valid" if collection == POST else "unknown"
        return answer({"uri": record.uri, "cid": record.cid, **commit, "validationStatus": status})

    def _commit(self, account: Account, about: str) -> dict[str, Any]:
        rev = self._repos.rev(account.id)
        return {"commit": {"cid": record_cid([account.did, rev, about]), "rev": rev}}

    def delete(self, call: XrpcCall) -> Response:
        """Take a record away; one that is not there is no error."""
        account = call.writer()
        deleted = self._repos.delete(account, _collection(call), call.text("rkey"))
        return answer(self._commit(account, "") if deleted else {})

    def get(self, call: XrpcCall) -> Response:
        """One record; a repo that is closed looks like one that never was."""
        account = call.find_active(call.param("repo"))
        if account is None:
            raise _NO_SUCH_RECORD
        collection, rkey = call.param("collection"), call.param("rkey")
        record = self._repos.record(account.did, collection, rkey)
        if record is None or call.request.args.get("cid", record.cid) != record.cid:
            uri = f"at://{account.did}/{collection}/{rkey}"
            raise XrpcError(f"Could not locate record: {uri}", "RecordNotFound")
        return answer(_shown(record))

    def list(self, call: XrpcCall) -> Response:
        """Records by key, newest first unless `reverse`."""
        repo = call.param("repo")
        account = call.find_active(repo)
        if account is None:
            raise XrpcError(f"Could not find repo: {repo}")
        found = self._repos.records(
            account.did,
            call.param("collection"),
            call.limit(),
            call.request.args.get("cursor", ""),
            oldest_first=call.request.args.get("reverse") == "true",
        )
        cursor = {"cursor": found[-1].rkey} if found else {}
        return answer({"records": [_shown(record) for record in found], **cursor})

    def blob(self, call: XrpcCall) -> Response:
        """An upload's bytes, once a record uses it."""
        did = call.param("did")
        account = call.find(did)
        if account is None:
            raise XrpcError(f"Could not find repo for DID: {did}", "RepoNotFound")
        if account.state == "takendown":
            raise XrpcError(TAKEN_DOWN.message, "RepoTakendown")
        if account.state == "deactivated":
            raise XrpcError(DEACTIVATED.message, "RepoDeactivated")
        cid = call.param("cid")
        mime = self._repos.blob(account.id, cid, used=True)
        if mime is None:
            raise _NO_SUCH_BLOB
        return media_file(self._repos.file(account.id, cid), mime, call)


def _collection(call: XrpcCall) -> str:
    collection = call.text("collection")
    if not is_nsid(collection):
        raise XrpcError("Invalid nsid at $.collection")
    return collection


def _check_key(collection: str, rkey: str) -> None:
    if not is_record_key(rkey):
        raise XrpcError(f'Invalid record key (got "{rkey}") at $.rkey')
    if collection == POST and not is_tid(rkey):
        raise XrpcError(f'Invalid record key for {POST}: Invalid TID string (got "{rkey}") at $')


def _value(call: XrpcCall) -> dict[str, Any]:
    """The record, with the type that its collection gives it."""
    if "record" not in call.body:
        raise XrpcError('Missing required key "record" at $')
    value, collection = call.body["record"], call.text("collection")
    if not isinstance(value, dict):
        raise XrpcError("Expected object value type at $.record")
    if value.get("$type", collection) != collection:
        raise XrpcError(f"Invalid $type: expected {collection}, got {value['$type']}")
    return {**value, "$type": collection}


def _shown(record: Record) -> dict[str, Any]:
    return {"uri": record.uri, "cid": record.cid, "value": record.value}

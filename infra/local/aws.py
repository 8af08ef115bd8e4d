"""MiniStack 1.5.33 with what it gets wrong put right, so that the app and its policies can be what AWS needs.

- A raw mail of SES v2 is sent as it was given; MiniStack rebuilds it without headers, names and pictures.
- SQS batch calls are allowed by the action for one message, as on AWS; policies know no other.
- Calls that name parameters in a list or by path, or a mail's sender, are authorized on these, not on `*`.
"""

import base64
import json
from contextvars import ContextVar
from typing import Any

from ministack.app import main
from ministack.core import iam_actions
from ministack.services import ses, ses_v2

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

_given: ContextVar[str | None] = ContextVar("_given", default=None)
_parse, _compose = ses_v2._parse_raw_mime, ses_v2._build_mime_message
_action, _resource = iam_actions.extract_iam_action, iam_actions.extract_resource_arn


def _parse_and_keep(raw: str) -> Any:
    _given.set(raw)
    return _parse(raw)


def _as_given(*parts: Any) -> str | bytes:
    """The mail to send; the last of `parts` is the Message-ID, which SES chooses itself."""
    raw = _given.get()
    _given.set(None)
    if raw is None:
        return str(_compose(*parts))
    text = base64.b64decode(raw).decode("latin-1")  # any bytes, and the same bytes back
    return f"Message-ID: <{parts[-1]}>\r\n{ses._strip_message_id_header(text)}".encode("latin-1")


def _action_of_one(*request: Any) -> str | None:
    action: str | None = _action(*request)
    return BATCHES.get(action, action) if action else None


def _resource_named(*request: Any) -> str:
    """What a call is authorized on: of several parameters, the path they share."""
    found = str(_resource(*request))
    service, _, _, _, body, _, region, account = request
    if found != "*" or service not in ("ses", "ssm"):
        return found
    try:
        named = json.loads(body)
    except ValueError:
        return found
    if service == "ses" and named.get("FromEmailAddress"):
        return f"arn:aws:ses:{region}:{account}:identity/{named['FromEmailAddress']}"
    names = named.get("Names") or [named.get("Path", "")]
    shared = names[0] if len(set(names)) == 1 else _shared_path(names)
    return f"arn:aws:ssm:{region}:{account}:parameter/{shared.lstrip('/')}" if shared else found


def _shared_path(names: list[str]) -> str:
    shared: list[str] = []
    for steps in zip(*(name.split("/") for name in names), strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return "/".join([*shared, ""])


if __name__ == "__main__":
    ses_v2._parse_raw_mime, ses_v2._build_mime_message = _parse_and_keep, _as_given
    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = _action_of_one, _resource_named
    main()

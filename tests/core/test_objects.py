import pytest

from chalicelib.core.errors import NotFound
from chalicelib.core.objects import Objects
from tests.fakes.stage import Stage


@pytest.fixture
def objects(stage: Stage) -> Objects:
    return Objects(stage.s3, stage.settings.media_bucket)


def test_what_was_written_is_read_a_megabyte_at_a_time(objects: Objects) -> None:
    body = bytes(range(256)) * 10_000
    objects.write("media/a", body, "image/png")

    assert [len(chunk) for chunk in objects.chunks("media/a")] == [1 << 20, 1 << 20, len(body) - (2 << 20)]
    assert objects.read("media/a") == body


def test_what_was_never_uploaded_is_not_found(objects: Objects) -> None:
    with pytest.raises(NotFound, match="nothing was uploaded yet"):
        objects.read("uploads/nothing")


def test_an_upload_is_good_for_one_key_type_and_size(objects: Objects) -> None:
    import base64
    import json

    form = objects.upload_form("uploads/x", "image/png", 1000, 600)
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))

    assert form["fields"]["key"] == "uploads/x"
    assert {"Content-Type": "image/png"} in policy["conditions"]
    assert ["content-length-range", 1, 1000] in policy["conditions"]
    assert {"key": "uploads/x"} in policy["conditions"]


def test_a_view_ends_when_it_says(objects: Objects) -> None:
    assert "X-Amz-Expires=300" in objects.view_url("media/a", 300) or "Expires=" in objects.view_url(
        "media/a", 300
    )

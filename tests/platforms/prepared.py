"""An adapter that has prepared a content and stands before the unsafe call."""

from chalicelib.core.http import Request
from chalicelib.platforms.port import Checkpoint, Content
from tests.fakes.transport import Answer, Answering
from tests.platforms.bluesky.pds import FakePds
from tests.platforms.mastodon.server import FakeServer
from tests.platforms.support import NOW, Bench


def ready_to_publish(
    name: str, content: Content, answers: Answering | list[Answer]
) -> tuple[Bench, Checkpoint]:
    """The bench and the checkpoint; from here on the given answers come."""
    server: Answering = {"bluesky": FakePds, "mastodon": FakeServer}[name]()
    later = answers if callable(answers) else iter(answers).__next__
    prepared = False

    def answering(request: Request) -> Answer:
        if not prepared:
            return server(request)
        return later(request) if callable(answers) else later()  # type: ignore[call-arg]

    bench = Bench(name, answering)
    checkpoint = bench.adapter.prepare(bench.account, content, bench.adapter.plan(content, NOW, "variant_1"))
    prepared = True
    return bench, checkpoint

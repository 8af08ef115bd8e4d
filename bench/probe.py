"""Runs in a fresh interpreter that knows the unpacked zip and nothing else; its job is JSON on stdin.

Prints the CPU seconds of importing a handler's module and of its first event, its answer, and peak memory;
with `repeat`, also those of each of so many further calls.
It imports as little as it can: every module that it loads is missing from what it measures.
"""

import json
import sys
import time


def main() -> None:
    job = json.load(sys.stdin)
    sys.path.insert(0, job["code"])
    module_name, name = job["handler"].rsplit(".", 1)
    started = time.process_time()
    module = __import__(module_name, fromlist=[name])
    handler = getattr(module, name)
    measured: dict[str, object] = {"import": time.process_time() - started}
    if job["event"] is not None:
        started = time.process_time()
        measured["answer"] = handler(job["event"], Context())
        measured["first"] = time.process_time() - started
        if job["repeat"]:
            measured["each"], measured["answer"] = again(handler, job["event"], job["repeat"])
    measured["peak"] = peak_memory()
    sys.stdout.write("\n" + json.dumps(measured))


def again(handler, event, repeat: int) -> tuple[float, object]:  # type: ignore[no-untyped-def]
    """CPU seconds of a warm call, and the last answer; a tenth as many calls go before, uncounted."""
    for _ in range(repeat // 10):
        handler(event, Context())
    started = time.process_time()
    for _ in range(repeat):
        answer = handler(event, Context())
    return (time.process_time() - started) / repeat, answer


class Context:
    """What Lambda's context tells a handler."""

    aws_request_id = "bench"
    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:bench"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def peak_memory() -> float:
    """Bytes. Linux keeps ru_maxrss over an exec, so that it shows the parent's; VmHWM begins anew."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - pathlib is a handler's to load
            kilobytes = next(line.split()[1] for line in file if line.startswith("VmHWM:"))
    except FileNotFoundError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return int(kilobytes) * 1024


if __name__ == "__main__":
    main()

"""Sessions in SSM, readable by the next worker."""

from chalicelib.accounts.sessions import SsmSessions
from chalicelib.core.secrets import Secrets
from tests.fakes.stage import Stage


def test_a_session_is_there_for_the_next_worker_and_only_as_a_secret(stage: Stage) -> None:
    session = {"did": "did:plc:zorza", "refresh": "tajne", "handle": "łódź.test"}
    SsmSessions(stage.secrets, stage.settings).put("account_1", session)
    next_worker = SsmSessions(Secrets(stage.ssm, stage.settings, stage.clock), stage.settings)
    assert next_worker.get("account_1") == session
    assert next_worker.get("account_2") is None
    parameter = stage.ssm.get_parameter(Name=f"/signalbox/{stage.settings.stage}/sessions/account_1")[
        "Parameter"
    ]
    assert parameter["Type"] == "SecureString"


def test_changing_what_was_read_does_not_change_what_is_kept(stage: Stage) -> None:
    sessions = SsmSessions(stage.secrets, stage.settings)
    sessions.put("account_1", {"access": "a"})
    read = sessions.get("account_1")
    assert read is not None
    read["access"] = "b"
    assert sessions.get("account_1") == {"access": "a"}


def test_of_a_session_that_rotates_no_worker_keeps_a_copy(stage: Stage) -> None:
    workers = [SsmSessions(Secrets(stage.ssm, stage.settings, stage.clock), stage.settings) for _ in range(2)]
    for turn in range(3):
        for n, worker in enumerate(workers):
            session = {"refresh": f"{turn}-{n}", "rotates": "yes"}
            worker.put("account_1", session)
            assert [each.get("account_1") for each in workers] == [session, session]

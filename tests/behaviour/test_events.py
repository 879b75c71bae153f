"""What event listeners are sent, in which order, and what their answers lead to: beside the original."""
import pytest

from harness.events import Record, listener, normal
from harness.subject import LINCHPIN

SLEEP = "[program:{0}]\ncommand=/bin/sleep 9999\nautostart=false\n"


@pytest.fixture
def both(new_daemon, original):
    """Does the same with ours and with the original, and compares the records of the listeners named."""

    def run(programs, act, *names, supervisord=""):
        streams = []
        for subject in (LINCHPIN, original):
            daemon = new_daemon(subject, programs=programs, supervisord=supervisord).start()
            records = {name: Record(daemon, name) for name in names}
            act(daemon, records)
            streams.append({name: [normal(event) for event in record.all()] for name, record in records.items()})
            daemon.stop()
        ours, theirs = streams
        assert ours == theirs
        return ours

    return run


def test_states_groups_and_remote_events_come_as_from_the_original(both):
    programs = listener("all", "EVENT", extra="buffer_size=100") + SLEEP.format("a") + SLEEP.format("b")

    def act(daemon, records):
        daemon.until_running("all")
        for name in ("a", "b"):
            daemon.supervisor("startProcess", name)
        daemon.supervisor("sendRemoteCommEvent", "greeting", "grüß dich\nand more\n")
        daemon.supervisor("stopProcess", "a")
        daemon.supervisor("removeProcessGroup", "a")
        daemon.supervisor("addProcessGroup", "a")
        daemon.supervisor("sendRemoteCommEvent", "end", "")
        records["all"].until_body("type:end")

    streams = both(programs.replace("EVENT", "PROCESS_STATE,PROCESS_GROUP,REMOTE_COMMUNICATION,SUPERVISOR_STATE_CHANGE"), act, "all")
    assert len(streams["all"]) > 15

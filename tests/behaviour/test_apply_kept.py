"""The report of Save & Restart outlives the daemon, where there is a directory for what does."""
import json
import signal

import pytest

from harness.wait import until
from test_settings_apply import PRODUCT, Product

pytestmark = pytest.mark.ours("there is nothing like it")

KEPT = PRODUCT.replace("[linchpin]\n", "[linchpin]\nstate_directory=%(here)s/state\n")


@pytest.fixture
def product(new_daemon):
    return Product(new_daemon(), KEPT).start()


def begin_what_never_ends(product):
    status, text = product.request("PUT", "settings?follow=no", {"set": {"APP_MODE": "silent"}, "timeout": 300})
    assert status == 202, text
    until(lambda: "worker - 8080 silent" in product.starts(), "the new worker")


def killed(product):
    """The daemon is killed, with everything that it has started."""
    product.daemon.discard()


def test_the_last_report_and_its_number_outlive_the_daemon(product):
    product.apply(APP_PORT="81", APP_KEY="geheim-new")
    _, report = product.apply(APP_PORT="666")
    assert (report["generation"], report["state"]) == (2, "rolled_back")
    file = product.directory / "state/apply-report.json"
    assert file.stat().st_mode & 0o777 == 0o600 and "geheim" not in file.read_text()
    killed(product)
    product.start()
    assert product.get("apply") == (200, report)
    assert json.loads(product.request("GET", "apply?follow=yes")[1].splitlines()[-1])["report"] == report
    assert product.apply(APP_PORT="82")[1]["generation"] == 3
    product.daemon.stop()
    product.start()
    assert product.get("apply")[1]["generation"] == 3


def test_an_apply_that_was_under_way_when_the_daemon_was_killed_is_told_as_interrupted(product):
    begin_what_never_ends(product)
    kept = product.directory / "state/apply-report.json"
    until(lambda: '"wait"' in kept.read_text(), "its last step is kept")
    killed(product)
    product.daemon.start()
    status, report = product.get("apply")
    assert status == 200 and (report["generation"], report["state"]) == (1, "interrupted")
    assert report["steps"][-1]["step"] == "wait" and report["ended"] and "what it had written counts" in report["error"]
    product.daemon.until_logged(r"ERRO settings interrupted \(apply 1, APP_MODE\)")
    done = product.apply(unset=["APP_MODE"])[1]
    assert (done["generation"], done["state"]) == (2, "done")


@pytest.mark.parametrize("text", [KEPT, PRODUCT], ids=["with a directory", "without"])
def test_a_restart_of_the_daemon_knows_what_it_has_interrupted(new_daemon, text):
    product = Product(new_daemon(), text).start()
    begin_what_never_ends(product)
    product.daemon.signal(signal.SIGHUP)
    until(lambda: product.starts().count("worker - 8080 silent") == 2, "the next life")
    until(product.daemon.answers, "and answers")
    assert product.get("apply")[1]["state"] == "interrupted"
    assert product.apply(unset=["APP_MODE"])[1]["generation"] == 2


def test_a_report_that_cannot_be_read_or_kept_is_told_and_stops_nothing(product):
    kept = product.directory / "state/apply-report.json"
    product.daemon.stop()
    kept.write_text("{")
    product.start()
    product.daemon.until_logged("WARN what was applied last is not known: cannot read .*apply-report.json: it is not a report")
    assert product.get("apply")[0] == 404
    kept.unlink()
    kept.mkdir()
    assert product.apply(APP_PORT="81")[1]["state"] == "done"
    product.daemon.until_logged("WARN the report of the apply is not kept")

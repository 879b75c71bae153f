"""superlance's httpok restarts a program whose page is wrong, and writes a mail about it."""
from harness.wait import until

WEB = "[program:web]\ncommand=/bin/sleep 9999\n"


def listener(program, url, sendmail, options=""):
    return f"[eventlistener:httpok]\ncommand={program('httpok')} -p web -t 1 -s {sendmail} -m ops@example.org {options} {url}\nevents=TICK_5\n"


def test_a_program_whose_page_is_gone_is_restarted(new_daemon, program, sendmail, closed_port):
    script, mails = sendmail
    daemon = new_daemon(programs=WEB + listener(program, f"http://127.0.0.1:{closed_port}/", script)).start()
    # The first look may come as soon as the program runs, so who ran before is what the log tells.
    until(lambda: "Restarted" in mails() or "restarted" in mails(), "a mail", 60)
    daemon.until_running("web")
    daemon.until_logged("stopped: web")
    daemon.until_logged(r"spawned: 'web' with pid \d+", count=2)
    assert "web" in mails() and "To: ops@example.org" in mails()


def test_a_program_whose_page_is_right_is_left_alone(new_daemon, program, sendmail, web_server):
    address, requests, _ = web_server
    daemon = new_daemon(programs=WEB + listener(program, f"http://{address}/health", sendmail[0])).start()
    (before,) = daemon.until_running("web")
    until(lambda: len(requests) > 1, "two looks at the page", 60)
    assert requests[0][:2] == ("GET", "/health")
    assert daemon.info("web")["pid"] == before and sendmail[1]() == ""


def test_a_wrong_status_counts(new_daemon, program, sendmail, web_server):
    address, requests, set_status = web_server
    set_status(503)
    daemon = new_daemon(programs=WEB + listener(program, f"http://{address}/", sendmail[0])).start()
    (before,) = daemon.until_running("web")
    until(lambda: daemon.info("web")["pid"] not in (0, before), "another process", 60)
    assert requests

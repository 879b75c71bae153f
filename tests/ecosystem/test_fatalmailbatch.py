"""superlance's fatalmailbatch gathers what gave up, and mails it over SMTP at a tick."""
from harness.wait import until

PROGRAMS = "".join(f"[program:{name}]\ncommand=/no/such/program\nstartretries=1\n" for name in ("first", "second"))


def test_programs_that_gave_up_are_mailed_together(new_daemon, program, mail_server):
    address, mails = mail_server
    daemon = new_daemon(
        programs=PROGRAMS + f"[eventlistener:fatal]\ncommand={program('fatalmailbatch')} --toEmail=ops@example.org --fromEmail=supervisor@example.org "
        f"--smtpHost={address} --interval=0.01 --tickEvent=TICK_5\nevents=PROCESS_STATE,TICK_5\nbuffer_size=100\n"
    ).start()
    daemon.until_state("first", "FATAL")
    text = lambda: "\n".join(mails)  # noqa: E731
    until(lambda: "first" in text() and "second" in text(), "the mails", 60)
    assert "Process second:second failed to start too many times" in text()
    assert "To: ops@example.org" in mails[0]

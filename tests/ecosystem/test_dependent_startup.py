"""supervisord-dependent-startup reads the file itself, with keys of its own, and starts programs in order."""
import re

PROGRAMS = """
[program:database]
command=/bin/sleep 9999
autostart=false
startsecs=2
dependent_startup=true
[program:cache]
command=/bin/sleep 9999
autostart=false
startsecs=0
dependent_startup=true
dependent_startup_wait_for=database:running
[program:app]
command=/bin/sleep 9999
autostart=false
dependent_startup=true
dependent_startup_wait_for=database:running cache:running
[program:manual]
command=/bin/sleep 9999
autostart=false
"""


def test_programs_start_when_what_they_wait_for_runs(new_daemon, program):
    listener = program("supervisord-dependent-startup")
    daemon = new_daemon()
    daemon.configure(
        PROGRAMS + f"[eventlistener:order]\ncommand={listener} --config {daemon.file} --log-level debug\nevents=PROCESS_STATE\n"
        "stderr_logfile=%(here)s/order.log\nautorestart=false\nexitcodes=0\nbuffer_size=100\n"
    ).start()
    daemon.until_running("app", timeout=60)
    daemon.until_logged("success: app")
    told = re.findall(r"(spawned: '|success: )(\w+)", daemon.log())
    order = [f"{kind.split(':')[0]} {name}" for kind, name in told if name in ("database", "cache", "app")]
    assert order == ["spawned database", "success database", "spawned cache", "success cache", "spawned app", "success app"]
    assert daemon.info("manual")["statename"] == "STOPPED"

"""What a service is given by our daemon is what the original gives it, attribute by attribute."""
import os
import pwd

import pytest

from harness.subject import LINCHPIN, TESTED


def attributes(new_daemon, subject, compiled, options, supervisord="", arguments="", before=(), **popen):
    """One service's own account of itself, with the directory's name taken out."""
    daemon = new_daemon(subject=subject)
    daemon.directory.chmod(0o777)
    text = (
        f"[program:a]\ncommand={compiled('attributes')} {arguments}\n"
        f"stdout_logfile={daemon.directory}/told.log\nstdout_logfile_maxbytes=0\nautorestart=false\n"
        + options.replace("DIRECTORY", str(daemon.directory))
    )
    daemon.configure(text, supervisord=supervisord).start(before=before, **popen)
    told = daemon.until_file("told.log", "\nend\n").replace(str(daemon.directory), "DIRECTORY")
    daemon.stop()
    lines = told.splitlines()
    # The environment is a set; a shell in front may add its own.
    return sorted(line for line in lines if not line.startswith(("environment _=", "environment OLDPWD=", "environment SHLVL=")))


CASES = {
    "defaults": {"options": ""},
    "redirect_stderr": {"options": "redirect_stderr=true\n"},
    "no_logs_for_stderr": {"options": "stderr_logfile=NONE\n"},
    "umask": {"options": "umask=027\n"},
    "umask_of_the_caller": {"options": "", "umask": 0o077},
    "directory": {"options": "directory=/usr\n"},
    "directory_of_ours": {"options": "directory=DIRECTORY\n"},
    "environment": {"options": 'environment=A="one two",B="%(program_name)s",PATH="/bin",C="x,y;z"\n'},
    "environment_of_the_daemon": {"options": 'environment=B="theirs"\n', "supervisord": 'environment=A="1",B="2",SUPERVISOR_ENABLED="no"'},
    "server_url": {"options": "serverurl=http://elsewhere:1\n"},
    "user": {"options": "user=nobody\n", "root": True},
    "user_by_number": {"options": "user=65534\n", "root": True},
    "user_with_groups": {"options": "user=GROUPED\n", "root": True},
    "user_and_umask_and_directory": {"options": "user=nobody\numask=077\ndirectory=/tmp\n", "root": True},
    "arguments": {"options": "", "arguments": """one 'two three' "four \\"five\\"" six\\ seven '' %% $HOME * ;no"""},
    "minfds": {"options": "", "supervisord": "minfds=2048"},
    "minfds_below_the_limit": {"options": "", "supervisord": "minfds=10"},
    "minprocs": {"options": "", "supervisord": "minprocs=300"},
    "low_limits_of_the_caller": {"options": "", "before": ("sh", "-c", 'ulimit -n 900; ulimit -c 0; exec "$@"', "sh"), "supervisord": "minfds=800"},
    "raised_from_a_low_soft_limit": {"options": "", "before": ("sh", "-c", 'ulimit -S -n 300; exec "$@"', "sh")},
    "strip_ansi": {"options": "", "supervisord": "strip_ansi=true"},
}


def grouped_user():
    """An account that is a member of some group besides its own, if the machine has one."""
    import grp

    names = {account.pw_name for account in pwd.getpwall()}
    for group in grp.getgrall():
        for member in group.gr_mem:
            if member in names and member != "root":
                return member
    return "daemon"


# Deliberate: output that nobody keeps goes to /dev/null instead of through a pipe of ours.
DIFFERENT = {"no_logs_for_stderr": ("descriptor 2 pipe write", "descriptor 2 device both")}


@pytest.mark.parametrize("name", CASES)
def test_same_as_the_originals(new_daemon, original, compiled, name):
    case = dict(CASES[name])
    if case.pop("root", False) and os.geteuid() != 0:
        pytest.skip("needs to be root")
    case["options"] = case["options"].replace("GROUPED", grouped_user())
    theirs = attributes(new_daemon, original, compiled, **case)
    ours = attributes(new_daemon, TESTED, compiled, **case)
    if name in DIFFERENT and TESTED is LINCHPIN:
        wanted, got = DIFFERENT[name]
        theirs = sorted(got if line == wanted else line for line in theirs)
    assert ours == theirs


def test_numprocs_and_groups_name_each_instance(new_daemon, original, compiled):
    def told(subject):
        daemon = new_daemon(subject=subject)
        daemon.configure(
            f"[program:w]\ncommand={compiled('attributes')} %(process_num)d %(numprocs)d\nnumprocs=3\nnumprocs_start=7\n"
            f"process_name=%(program_name)s-%(process_num)02d\nstdout_logfile={daemon.directory}/%(process_num)d.log\n"
            "[group:many]\nprograms=w\n"
        ).start()
        texts = [daemon.until_file(f"{number}.log", "\nend\n") for number in (7, 8, 9)]
        daemon.stop()
        return [
            sorted(line for line in text.splitlines() if line.startswith(("arguments", "environment SUPERVISOR_PROCESS", "environment SUPERVISOR_GROUP")))
            for text in texts
        ]

    theirs, ours = ([[line.split(" ", 1)[1].split("/")[-1] if "arguments" in line else line for line in each] for each in told(s)] for s in (original, TESTED))
    assert ours == theirs


def test_stdin_is_a_pipe_that_stays_open(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/cat\nstdout_logfile=%(here)s/a.log\n").start()
    daemon.until_running("a")
    assert daemon.supervisor("sendProcessStdin", "a", "hello\n") is True
    assert daemon.until_file("a.log", "hello\n") == "hello\n"
    assert daemon.info("a")["statename"] == "RUNNING"


@pytest.mark.root
def test_a_daemon_with_a_user_starts_its_services_as_that_user(new_daemon, original, compiled):
    def told(subject):
        daemon = new_daemon(subject=subject)
        daemon.directory.chmod(0o777)
        daemon.configure(
            f"[program:a]\ncommand={compiled('attributes')}\nstdout_logfile={daemon.directory}/told.log\n", supervisord="user=nobody"
        ).start()
        text = daemon.until_file("told.log", "\nend\n")
        daemon.stop()
        return [line for line in text.splitlines() if line.startswith(("uid", "gid", "groups", "environment HOME", "environment USER"))]

    assert told(TESTED) == told(original)

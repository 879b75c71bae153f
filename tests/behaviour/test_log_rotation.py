"""Captured output lands in the same files, with the same names and the same bytes, as under the original."""
import re

import pytest

from harness.subject import TESTED
from harness.wait import until

# Where a file ends depends on what one read returned, so each write waits until the one before was read
# (FIONREAD tells what is still in the pipe): both daemons see the same pieces.
WRITER = """\
import fcntl, os, struct, sys, termios, time
stream = int(sys.argv[1])
def drain():
    while struct.unpack("i", fcntl.ioctl(stream, termios.FIONREAD, bytes(4)))[0]:
        time.sleep(0.002)
for number, size in enumerate(int(word) for word in sys.argv[2:]):
    os.write(stream, (b"%06d " % number + b"x" * size)[: size - 1] + b"\\n")
    drain()
open(sys.argv[0] + ".done", "w").close()
time.sleep(9999)
"""


def written(new_daemon, subject, options, sizes, stream=1, prepare=None):
    """What is in the log files after `sizes` were written: name -> bytes."""
    daemon = new_daemon(subject=subject)
    (daemon.directory / "writer.py").write_text(WRITER)
    if prepare:
        prepare(daemon.directory)
    kept = "stdout" if stream == 1 else "stderr"
    daemon.configure(
        f"[program:a]\ncommand=python3 {daemon.directory}/writer.py {stream} {' '.join(map(str, sizes))}\n"
        f"{kept}_logfile={daemon.directory}/a.log\n" + options
    ).start()
    until((daemon.directory / "writer.py.done").exists, "everything was written and read")
    # The last write may itself have caused a rotation: stopping is what settles it.
    daemon.stop()
    return {path.name: path.read_bytes() for path in sorted(daemon.directory.glob("a.log*"))}


CASES = {
    "never_full": ("stdout_logfile_maxbytes=1000\nstdout_logfile_backups=2\n", [100] * 5),
    "exactly_full": ("stdout_logfile_maxbytes=500\nstdout_logfile_backups=2\n", [100] * 5),
    "one_byte_below": ("stdout_logfile_maxbytes=501\nstdout_logfile_backups=2\n", [100] * 5),
    "several_rotations": ("stdout_logfile_maxbytes=500\nstdout_logfile_backups=3\n", [70] * 50),
    "more_rotations_than_files": ("stdout_logfile_maxbytes=200\nstdout_logfile_backups=2\n", [90] * 30),
    "one_backup": ("stdout_logfile_maxbytes=300\nstdout_logfile_backups=1\n", [70] * 20),
    "no_backups": ("stdout_logfile_maxbytes=300\nstdout_logfile_backups=0\n", [70] * 21),
    "no_limit": ("stdout_logfile_maxbytes=0\nstdout_logfile_backups=3\n", [3000] * 10),
    "writes_larger_than_the_limit": ("stdout_logfile_maxbytes=100\nstdout_logfile_backups=3\n", [300] * 6),
    "large_and_small": ("stdout_logfile_maxbytes=1KB\nstdout_logfile_backups=4\n", [10, 2000, 10, 10, 1000, 20, 1024, 1023, 1025, 30]),
    "every_byte": ("stdout_logfile_maxbytes=1\nstdout_logfile_backups=3\n", [20] * 5),
}


@pytest.mark.parametrize("name", CASES)
def test_same_files_as_the_originals(new_daemon, original, name):
    options, sizes = CASES[name]
    assert written(new_daemon, TESTED, options, sizes) == written(new_daemon, original, options, sizes)


def test_stderr_rotates_alike(new_daemon, original):
    options = "stderr_logfile_maxbytes=300\nstderr_logfile_backups=2\n"
    assert written(new_daemon, TESTED, options, [70] * 20, stream=2) == written(new_daemon, original, options, [70] * 20, stream=2)


def test_an_existing_file_is_continued_and_counts(new_daemon, original):
    def prepare(directory):
        (directory / "a.log").write_bytes(b"old\n" * 70)
        (directory / "a.log.1").write_bytes(b"older\n")

    options = "stdout_logfile_maxbytes=300\nstdout_logfile_backups=3\n"
    ours, theirs = (written(new_daemon, subject, options, [70] * 3, prepare=prepare) for subject in (TESTED, original))
    assert ours == theirs


def test_a_gap_in_the_backups_is_tolerated(new_daemon, original):
    def prepare(directory):
        (directory / "a.log.3").write_bytes(b"third\n")

    options = "stdout_logfile_maxbytes=100\nstdout_logfile_backups=4\n"
    ours, theirs = (written(new_daemon, subject, options, [70] * 5, prepare=prepare) for subject in (TESTED, original))
    assert ours == theirs


def test_two_streams_into_one_file_with_redirect(new_daemon):
    script = "i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; exec sleep 9999"
    daemon = new_daemon()
    daemon.configure(f"[program:a]\ncommand=/bin/sh -c '{script}'\nredirect_stderr=true\nstdout_logfile={daemon.directory}/a.log\n").start()
    text = daemon.until_file("a.log", "err 499\n")
    assert text.splitlines() == [f"{kind} {n}" for n in range(500) for kind in ("out", "err")]


def test_nothing_is_lost_or_doubled_across_rotations_at_speed(new_daemon):
    lines = 200_000
    # More backups than will be needed, so that every byte is still somewhere.
    daemon = new_daemon()
    daemon.configure(
        f"[program:a]\ncommand=/bin/sh -c 'seq 1 {lines}; exec sleep 9999'\nstdout_logfile={daemon.directory}/a.log\n"
        "stdout_logfile_maxbytes=50KB\nstdout_logfile_backups=100\n"
    ).start()

    def parts():
        numbered = [(int(re.fullmatch(r"a\.log(?:\.(\d+))?", path.name)[1] or 0), path) for path in daemon.directory.glob("a.log*")]
        return [path.read_bytes() for _, path in sorted(numbered, reverse=True)]

    until(lambda: sum(text.count(b"\n") for text in parts()) >= lines, "all lines arrived")
    daemon.stop()
    assert b"".join(parts()).split() == [b"%d" % (n + 1) for n in range(lines)]


def test_last_words_are_kept_when_a_service_dies(new_daemon):
    daemon = new_daemon()
    daemon.configure(
        f"[program:a]\ncommand=/bin/sh -c 'seq 1 20000; echo last words; kill -9 $$'\nstartsecs=0\nautorestart=false\nstdout_logfile={daemon.directory}/a.log\n"
    ).start()
    daemon.until_state("a", "EXITED")
    until(lambda: daemon.read("a.log").endswith("last words\n"), "the last words")
    assert daemon.read("a.log").count("\n") == 20001


ANSI = r"\033[31mred\033[0m plain \033[1;32mgreen\033[K\033[2J\033[Hx\033[10;5fy\033[sz\n"


@pytest.mark.parametrize("strip", ["true", "false"])
def test_escape_sequences(new_daemon, original, strip):
    def told(subject):
        daemon = new_daemon(subject=subject)
        daemon.configure(
            f"[program:a]\ncommand=/usr/bin/printf '{ANSI}'\nstartsecs=0\nautorestart=false\nstdout_logfile={daemon.directory}/a.log\n",
            supervisord=f"strip_ansi={strip}",
        ).start()
        daemon.until_file("a.log", "\n")
        return (daemon.directory / "a.log").read_bytes()

    assert told(TESTED) == told(original)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_automatic_log_names(new_daemon, stream):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sh -c 'echo out; echo err >&2; exec sleep 9999'\n", supervisord="identifier=me").start()
    daemon.until_running("a")
    path = daemon.info("a")[f"{stream}_logfile"]
    assert re.fullmatch(rf"{daemon.directory}/a-{stream}---me-[a-zA-Z0-9_]{{8}}\.log", path), path
    name = path.rsplit("/", 1)[1]
    until(lambda: daemon.read(name) == {"stdout": "out\n", "stderr": "err\n"}[stream], "its line")
    assert (daemon.directory / name).stat().st_mode & 0o777 == 0o600


def test_old_automatic_logs_are_removed_at_the_start_unless_kept(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n")
    old = daemon.directory / "gone-stdout---supervisor-abcdefgh.log"
    others = [daemon.directory / "x-stdout---other-abcdefgh.log", daemon.directory / "notes.log"]
    for path in [old, *others]:
        path.write_text("text\n")
    daemon.start()
    assert not old.exists()
    assert all(path.exists() for path in others)
    daemon.stop()

    old.write_text("text\n")
    again = new_daemon(directory=daemon.directory, programs="[program:a]\ncommand=/bin/sleep 9999\n", supervisord="nocleanup=true").start()
    assert old.exists()
    again.stop()


@pytest.mark.parametrize("word", ["NONE", "off", "None"])
def test_no_log_means_none(new_daemon, word):
    daemon = new_daemon(programs=f"[program:a]\ncommand=/bin/sh -c 'echo x; exec sleep 9999'\nstdout_logfile={word}\nstderr_logfile={word}\n").start()
    daemon.until_running("a")
    info = daemon.info("a")
    assert (info["logfile"], info["stdout_logfile"], info["stderr_logfile"]) == ("", "", "")
    assert not list(daemon.directory.glob("a-*"))


def test_output_passes_through_to_the_containers_stdout_and_stderr(new_daemon):
    options = "stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nstderr_logfile=/dev/fd/2\nstderr_logfile_maxbytes=0\n"
    daemon = new_daemon(programs=f"[program:a]\ncommand=/bin/sh -c 'echo to stdout; echo to stderr >&2; exec sleep 9999'\n{options}").start()
    until(lambda: "to stdout\n" in daemon.output.read_text(), "it came through")
    until(lambda: "to stderr\n" in daemon.errors.read_text(), "it came through")
    assert "to stderr" not in daemon.output.read_text()


def test_main_log_rotates_like_the_originals(new_daemon, original):
    programs = "".join(f"[program:s{n}]\ncommand=/bin/cat\nstartsecs=0\nstopsignal=KILL\n" for n in range(8))
    # One group, because the original takes a second for each of several at its end.
    programs += "[group:g]\nprograms=" + ",".join(f"s{n}" for n in range(8)) + "\n"

    def shape(subject):
        daemon = new_daemon(subject=subject, programs=programs, supervisord="logfile_maxbytes=2KB\nlogfile_backups=3\nloglevel=info").start()
        daemon.until_running("g:s0", "g:s7")
        for _ in range(5):
            daemon.supervisor("stopAllProcesses")
            daemon.supervisor("startAllProcesses")
        daemon.stop()
        files = sorted(path.name for path in daemon.directory.glob("main.log*"))
        # Whole messages only, and each closed file just past the limit.
        for path in daemon.directory.glob("main.log.*"):
            text = path.read_text()
            assert text.endswith("\n") and 2048 <= len(text) < 2048 + 400, len(text)
            assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]{4} ", text)
        return files

    assert shape(TESTED) == shape(original) == ["main.log", "main.log.1", "main.log.2", "main.log.3"]


def test_main_log_is_echoed_in_the_foreground_unless_silent(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n").start()
    daemon.until_running("a")
    until(lambda: "entered RUNNING state" in daemon.output.read_text(), "the echo")
    daemon.stop()
    assert daemon.output.read_text() == daemon.log()

    silent = new_daemon(programs="[program:a]\ncommand=/bin/sleep 9999\n", supervisord="silent=true").start()
    silent.until_running("a")
    silent.stop()
    assert silent.output.read_text() == ""
    assert "entered RUNNING state" in silent.log()


def test_at_debug_level_output_is_copied_into_the_main_log(new_daemon):
    daemon = new_daemon(programs="[program:a]\ncommand=/bin/sh -c 'echo hello; exec sleep 9999'\n", supervisord="loglevel=debug").start()
    daemon.until_logged(r"DEBG 'a' stdout output:\nhello\n")


def test_undecodable_output_in_the_main_log(new_daemon, original):
    def line(subject):
        daemon = new_daemon(
            subject=subject, programs=r"""[program:a]
command=/bin/sh -c 'printf "\\210\\377 a\\n"; exec sleep 9999'
""", supervisord="loglevel=debug").start()
        daemon.until_logged("stdout output:\n.+")
        return re.search("stdout output:\n(.+)", daemon.log())[1]

    assert line(TESTED) == line(original)

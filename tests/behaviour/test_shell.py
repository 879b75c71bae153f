"""supervisorctl's shell at a terminal: ours shows what the original's shows, with either daemon."""
import itertools
import re
import shlex
import signal
import subprocess
import termios

import pytest

from harness.compare import normal
from harness.subject import LINCHPIN, ORIGINAL, TESTED
from harness.terminal import Terminal
from harness.wait import until

PROMPT = "supervisor> "
CTRL_C, CTRL_D, CTRL_U, UP, TAB, ENTER = "\x03", "\x04", "\x15", "\x1b[A", "\t", "\r"
PROGRAMS = """
[program:cat]
command=/bin/cat
[program:manual]
command=/bin/cat
autostart=false
[program:many]
command=/bin/cat
numprocs=2
process_name=%(program_name)s_%(process_num)02d
"""
RUNNING = ("cat", "many:many_00", "many:many_01")
# Who serves, who asks.
PAIRS = [pytest.param(ORIGINAL, ORIGINAL, id="theirs_with_their_client")]
if TESTED is LINCHPIN:
    PAIRS = [
        pytest.param(LINCHPIN, LINCHPIN, id="ours_with_our_client"),
        pytest.param(ORIGINAL, LINCHPIN, id="theirs_with_our_client"),
        pytest.param(LINCHPIN, ORIGINAL, id="ours_with_their_client"),
    ]
CLIENTS = [pytest.param(client, id=str(client)) for client in dict.fromkeys((TESTED, ORIGINAL))]


@pytest.fixture
def new_shell():
    shells = []

    def make(daemon, client, *options, prompt=PROMPT, term="xterm"):
        command = [*client.control, "-c", str(daemon.file), *options]
        shells.append(Terminal(command, env=daemon.environment({"TERM": term}), cwd=daemon.directory))
        shells[-1].client = client
        if prompt:
            shells[-1].until_last_line(prompt)
        return shells[-1]

    yield make
    for shell in shells:
        shell.close()


def started(new_daemon, subject, **more):
    daemon = new_daemon(subject=subject).configure(PROGRAMS, **more).start()
    daemon.until_running(*RUNNING)
    return daemon


def enter(shell, line, prompts=1, prompt=PROMPT):
    """Types a line and waits for the prompt behind it, or for something else."""
    before = shell.look().count(prompt)
    shell.type(line + ENTER)
    shell.until(lambda seen: seen.count(prompt) >= before + prompts, f"{prompt!r} after {line!r}")


def type_in_foreground(shell, keys):
    # Theirs edits lines there too, and between two lines it does not. What is typed then shows twice, or is lost.
    if shell.client is ORIGINAL:
        shell.until_edited()
    shell.type(keys)


def screen(shell):
    # Whether Ctrl-C shows, and whether a line that was typed ahead shows twice, depends on who edits at that moment.
    lines = [line.removeprefix("^C").rstrip() for line in normal(shell.look()).splitlines()]
    return "\n".join(line for line, _ in itertools.groupby(lines))


def compared(new_daemon, new_shell, original, server, client, play, **more):
    """Plays the same to the original and to a pair; the screens must be the same."""
    seen = []
    for daemon_of, client_of in ((original, original), (server, client)):
        daemon = started(new_daemon, daemon_of, **more)
        shell = new_shell(daemon, client_of)
        play(daemon, shell)
        seen.append(screen(shell).replace(str(daemon.pid), "PID"))
        shell.close()
        daemon.discard()
    assert seen[1] == seen[0]


@pytest.mark.parametrize("server, client", PAIRS)
def test_commands(new_daemon, new_shell, original, server, client):
    def play(daemon, shell):
        for line in ("", "   ", "version", "frob it", "! ls", "pid", "status cat", "stop nobody", "signal HUP", "avail", "open ftp://x", "help version", "? pid"):
            enter(shell, line)
        enter(shell, "stop cat")
        enter(shell, "start cat manual")
        enter(shell, "restart many:many_00")
        enter(shell, "help")
        shell.type("quit" + ENTER)
        assert shell.end() == 0

    compared(new_daemon, new_shell, original, server, client, play)


@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D, "exit\r", "EOF\r"], ids=["ctrl_c", "ctrl_d", "exit", "EOF"])
def test_ways_to_leave(new_daemon, new_shell, original, keys):
    daemon = started(new_daemon, TESTED)
    seen = []
    for client in (original, TESTED):
        shell = new_shell(daemon, client)
        shell.type(keys)
        assert shell.end() == 0
        seen.append(screen(shell))
    assert seen[1] == seen[0]


# What is typed, what it becomes with one Tab, and what a second one offers.
COMPLETIONS = [
    ("ver", "version ", []),
    ("st", "st", ["start", "status", "stop"]),
    ("help sig", "help signal ", []),
    ("help h", "help help ", []),
    ("nothing", "nothing", []),
    ("start c", "start cat ", []),
    ("start m", "start man", ["manual", "many:*", "many:many_00", "many:many_01"]),
    ("start many:m", "start many:many_0", ["many:many_00", "many:many_01"]),
    ("stop many:*", "stop many:* ", []),
    ("stop cat:", "stop cat:", ["cat:*", "cat:cat"]),
    ("stop cat man", "stop cat man", ["manual", "many:*", "many:many_00", "many:many_01"]),
    ("signal HUP cat:c", "signal HUP cat:cat ", []),
    ("update many", "update many ", []),
    ("remove man", "remove man", ["manual", "many"]),
    ("version m", "version m", []),
]


@pytest.mark.parametrize("client", CLIENTS)
def test_completion(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, client)
    for typed, becomes, offered in COMPLETIONS:
        shell.type(typed)
        shell.until_last_line(PROMPT + typed)
        shell.type(TAB)
        shell.until_last_line(PROMPT + becomes)
        if offered:
            lines = len(shell.look().splitlines())
            # Behind one that added something readline wants two more.
            shell.type(TAB if becomes == typed else TAB + TAB)
            shell.until(lambda seen: offered[-1] in "\n".join(seen.splitlines()[lines:]), f"offers for {typed!r}")
            shell.until_last_line(PROMPT + becomes)
            assert shell.look().splitlines()[lines:-1] and set(" ".join(shell.look().splitlines()[lines:-1]).split()) == set(offered)
        shell.type(CTRL_U)
        shell.until_last_line(PROMPT)


@pytest.mark.parametrize("client", CLIENTS)
def test_completion_knows_new_processes_after_the_next_command(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, client)
    shell.type("pid fr" + TAB)
    shell.until_last_line(PROMPT + "pid fr")
    daemon.configure(PROGRAMS + "[program:fresh]\ncommand=/bin/cat\n")
    shell.type(CTRL_U)
    enter(shell, "update")
    shell.type("pid fr" + TAB)
    shell.until_last_line(PROMPT + "pid fresh ")


@pytest.mark.parametrize("server, client", PAIRS)
def test_a_process_in_the_foreground(new_daemon, new_shell, original, server, client):
    def play(daemon, shell):
        enter(shell, "fg cat", prompt="==> Press Ctrl-C to exit <==")
        for word in ("one", "zw\u00f6lf"):
            type_in_foreground(shell, word + ENTER)
            # Once as it is typed, once as it comes back.
            shell.until_text(f"{word}\n", 2)
        type_in_foreground(shell, CTRL_C)
        shell.until_last_line(PROMPT)
        for line in ("fg", "fg cat manual", "fg nobody", "fg manual", "pid manual"):
            enter(shell, line)

    compared(new_daemon, new_shell, original, server, client, play)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_end_of_input_leaves_the_foreground(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, client)
    enter(shell, "fg cat", prompt="==> Press Ctrl-C to exit <==")
    type_in_foreground(shell, "word" + ENTER)
    shell.until_text("word\n", 2)
    type_in_foreground(shell, CTRL_D)
    shell.until_last_line(PROMPT)
    assert "\nExiting foreground\n" in shell.look()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_process_that_dies_in_the_foreground_is_noticed_with_the_next_line(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, client)
    enter(shell, "fg cat", prompt="==> Press Ctrl-C to exit <==")
    daemon.supervisor("stopProcess", "cat")
    enter(shell, "word")
    assert shell.look().endswith(f"word\nProcess got killed\nExiting foreground\n{PROMPT}")


@pytest.mark.ours("it keeps running until a thread of its client notices")
def test_one_command_in_the_foreground_ends_with_its_input(new_daemon):
    daemon = started(new_daemon, TESTED)
    answer = daemon.control("fg", "cat", stdin="one\ntwo")
    assert answer.returncode == 0
    assert answer.stdout.startswith("==> Press Ctrl-C to exit <==\n") and answer.stdout.endswith("Exiting foreground\n")
    until(lambda: daemon.supervisor("readProcessStdoutLog", "cat", 0, 0) == "one\ntwo\n", "both lines have arrived")


@pytest.mark.parametrize("server, client", PAIRS)
def test_following_logs_ends_with_ctrl_c_and_the_shell_goes_on(new_daemon, new_shell, original, server, client):
    def play(daemon, shell):
        enter(shell, "tail -f cat", prompt="==> Press Ctrl-C to exit <==")
        for word in ("one", "two"):
            daemon.supervisor("sendProcessStdin", "cat", f"{word}\n")
            shell.until_text(f"{word}\n")
        shell.type(CTRL_C)
        shell.until_last_line(PROMPT)
        enter(shell, "tail -f nobody")
        shell.type("quit" + ENTER)
        assert shell.end() == 0
        shell.raw = shell.raw.replace(str(daemon.directory), "DIRECTORY")

    compared(new_daemon, new_shell, original, server, client, play)


@pytest.mark.parametrize("client", CLIENTS)
def test_following_the_main_log(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, client)
    enter(shell, "maintail -f", prompt="==> Press Ctrl-C to exit <==")
    daemon.supervisor("stopProcess", "cat")
    shell.until_text("stopped: cat (")
    shell.type(CTRL_C)
    shell.until_last_line(PROMPT)
    enter(shell, "version")


@pytest.mark.parametrize("command", ["shutdown", "reload"])
@pytest.mark.parametrize("server, client", PAIRS)
def test_questions_before_what_cannot_be_undone(new_daemon, new_shell, original, server, client, command):
    def play(daemon, shell):
        for answer in ("", "n", "no", "x y"):
            enter(shell, command, prompt="y/N? ")
            enter(shell, answer)
        assert daemon.answers()
        enter(shell, command, prompt="y/N? ")
        enter(shell, "Yes please")
        if command == "shutdown":
            assert daemon.process.wait(30) == 0
            enter(shell, "status")
            enter(shell, "shutdown", prompt="y/N? ")
            enter(shell, "y")

    compared(new_daemon, new_shell, original, server, client, play)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_question_can_be_left_unanswered(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, client)
    enter(shell, "shutdown", prompt="y/N? ")
    shell.type(CTRL_D)
    shell.until_last_line(PROMPT)
    assert "error: " in shell.look()
    enter(shell, "shutdown", prompt="y/N? ")
    shell.type(CTRL_C)
    assert shell.end() == 0
    assert daemon.answers()


@pytest.mark.parametrize("server, client", PAIRS)
def test_who_is_there_is_asked_until_the_answer_is_right(new_daemon, new_shell, original, server, client):
    screens = []
    for server_of, client_of in ((original, original), (server, client)):
        daemon = new_daemon(subject=server_of, programs=PROGRAMS, unix_http_server="username=who\npassword=secret").launch()
        until(daemon.socket.exists, "the socket")
        shell = new_shell(daemon, client_of, prompt="Username:")
        for name, password in (("who", "wrong"), ("who", "secret")):
            enter(shell, name, prompt="Password:")
            shell.type(password + ENTER)
            if password == "wrong":
                shell.until_text("Username:", 2)
        shell.until_last_line(PROMPT)
        enter(shell, "version")
        assert "secret" not in shell.look()
        # The states depend on the moment.
        screens.append(re.sub(r"(STARTING|RUNNING) .*", "STATE", screen(shell)))
    assert screens[1] == screens[0]


def test_ctrl_c_at_the_question_for_a_password_leaves(new_daemon, new_shell):
    daemon = new_daemon(programs="", unix_http_server="username=who\npassword=secret").launch()
    until(daemon.socket.exists, "the socket")
    for name in (CTRL_C, "who" + ENTER):
        shell = new_shell(daemon, TESTED, prompt="Username:")
        shell.type(name)
        if name != CTRL_C:
            shell.until_last_line("Password:")
            shell.type(CTRL_C)
        shell.end()
        shell.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_another_daemon_can_be_opened(new_daemon, new_shell, original, client):
    first = started(new_daemon, TESTED)
    second = new_daemon(subject=TESTED, programs="[program:other]\ncommand=/bin/cat\n").start()
    second.until_running("other")
    shell = new_shell(first, client)
    enter(shell, f"open unix://{second.socket}")
    assert shell.look().splitlines()[-2].startswith("other ")
    enter(shell, "pid")
    assert shell.look().splitlines()[-2] == str(second.pid)
    shell.type("pid oth" + TAB)
    shell.until_last_line(PROMPT + "pid other ")


@pytest.mark.parametrize("client", CLIENTS)
def test_prompt_and_history(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    text = daemon.file.read_text().replace("[supervisorctl]\n", "[supervisorctl]\nprompt=my shell\nhistory_file=%(here)s/typed\n")
    daemon.write(text)
    (daemon.directory / "typed").write_text("version\npid cat\n")
    shell = new_shell(daemon, client, prompt="my shell> ")
    shell.type(UP + UP)
    shell.until_last_line("my shell> version")
    enter(shell, "", prompt="my shell> ")
    for line in ("pid manual", "", "pid manual", "frob"):
        enter(shell, line, prompt="my shell> ")
    shell.type("quit" + ENTER)
    assert shell.end() == 0
    assert daemon.read("typed").split("\n") == ["version", "pid cat", "version", "pid manual", "frob", "quit", ""]
    shell = new_shell(daemon, client, prompt="my shell> ")
    shell.type(UP + UP)
    shell.until_last_line("my shell> frob")


@pytest.mark.ours("it reads the option and then forgets it")
def test_history_file_of_the_command_line(new_daemon, new_shell):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, TESTED, "-r", str(daemon.directory / "typed"))
    enter(shell, "version")
    shell.type(CTRL_D)
    assert shell.end() == 0
    assert daemon.read("typed") == "version\n"
    assert (daemon.directory / "typed").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("client", CLIENTS)
def test_history_that_cannot_be_kept_is_no_trouble(new_daemon, new_shell, original, client):
    daemon = started(new_daemon, TESTED)
    daemon.write(daemon.file.read_text().replace("[supervisorctl]\n", "[supervisorctl]\nhistory_file=/no/such/folder/typed\n"))
    shell = new_shell(daemon, client)
    enter(shell, "version")
    shell.type(CTRL_D)
    assert shell.end() == 0
    assert "folder" not in shell.look()


@pytest.mark.parametrize("client", CLIENTS)
def test_ctrl_c_during_a_command_leaves_the_shell_and_the_operation_goes_on(new_daemon, new_shell, original, client):
    daemon = new_daemon(subject=TESTED, programs="[program:slow]\ncommand=/bin/cat\nautostart=false\nstartsecs=1000\n").start()
    shell = new_shell(daemon, client)
    shell.type("start slow" + ENTER)
    daemon.until_state("slow", "STARTING")
    shell.type(CTRL_C)
    assert shell.end() == 0
    assert daemon.info("slow")["statename"] == "STARTING"


@pytest.mark.ours("its terminal stays without echo")
@pytest.mark.parametrize("name", ["TERM", "HUP"])
def test_a_signal_that_ends_the_shell_leaves_the_terminal_as_it_was(new_daemon, new_shell, name):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, TESTED)
    terminal = shell.child.child_fd

    def shows_what_is_typed():
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    until(lambda: not shows_what_is_typed(), "the line is edited")
    shell.child.kill(getattr(signal, f"SIG{name}"))
    shell.end()
    assert shell.child.signalstatus == getattr(signal, f"SIG{name}")
    assert shows_what_is_typed()


def test_a_terminal_that_cannot_move_its_cursor(new_daemon, new_shell):
    daemon = started(new_daemon, TESTED)
    shell = new_shell(daemon, TESTED, term="dumb")
    enter(shell, "version")
    assert "\x1b" not in shell.raw
    shell.type(CTRL_C)
    assert shell.end() == 0


# --- without a terminal


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("lines", ["", "version", "version\n\nfrob\nquit\nversion\n", "shutdown\n", "shutdown\nn\npid x\n"], ids=["nothing", "no_end", "quit", "question", "answer"])
def test_lines_from_a_pipe(new_daemon, original, client, lines):
    daemon = started(new_daemon, TESTED)
    theirs, ours = (daemon.control(subject=subject, stdin=lines) for subject in (original, client))
    assert (ours.returncode, theirs.returncode) == (0, 0)

    # An unanswered question is an exception there.
    def said(answer):
        return re.sub(r"error: .*", "error: X", normal(answer.stdout))

    assert said(ours) == said(theirs)
    assert daemon.answers()


@pytest.mark.parametrize("client", CLIENTS)
def test_no_command_and_no_input(new_daemon, original, client):
    daemon = started(new_daemon, TESTED)
    theirs, ours = (daemon.control(subject=subject) for subject in (original, client))
    assert (ours.returncode, normal(ours.stdout), ours.stderr) == (0, normal(theirs.stdout), "")


@pytest.mark.parametrize("client", CLIENTS)
def test_name_and_password_from_a_pipe(new_daemon, original, client):
    daemon = new_daemon(subject=TESTED, programs="", unix_http_server="username=who\npassword=secret").launch()
    until(daemon.socket.exists, "the socket")

    # Away from our own terminal, or that one would be asked.
    def said(subject):
        command = [*subject.control, "-c", str(daemon.file)]
        given = subprocess.run(
            command, input="who\nsecret\nversion\n", text=True, capture_output=True, env=daemon.environment(), start_new_session=True, timeout=30
        )
        return given.returncode, given.stdout, given.stderr.count("Password:")

    assert said(client) == said(original)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_interrupt_without_a_terminal_leaves_the_shell(new_daemon, client):
    daemon = started(new_daemon, TESTED)
    shell = subprocess.Popen([*client.control, "-c", str(daemon.file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=daemon.environment())
    seen = b""
    while not seen.endswith(PROMPT.encode()):
        seen += shell.stdout.read1()
    shell.send_signal(signal.SIGINT)
    out, _ = shell.communicate(timeout=30)
    assert (shell.returncode, out) == (0, b"\n")


def test_a_service_restarts_itself_and_others_though_its_output_is_cut_off(new_daemon):
    if TESTED is ORIGINAL:
        pytest.skip("the original's client is killed by the stop of its service")
    daemon = new_daemon()
    restart = shlex.join([*TESTED.control, "-c", str(daemon.file), "restart", "a", "b", "c"])
    # What the client says goes into the pipe of the service, which nobody reads any more after the stop.
    script = daemon.directory / "service.sh"
    script.write_text(f'echo $$ >>lives.$1\n[ $1 = a ] && [ "$(wc -l <lives.a)" = 1 ] && {{ {restart} & wait; }}\nexec sleep 9999\n')
    options = "directory=%(here)s\nstopasgroup=true\nstopwaitsecs=5\n"
    daemon.configure("".join(f"[program:{name}]\ncommand=/bin/sh {script} {name}\n{options}" for name in "abc")).start()
    for name in "abc":
        until(lambda: daemon.read(f"lives.{name}").count("\n") == 2, f"the second life of {name}", 40)
    daemon.until_running(*"abc")

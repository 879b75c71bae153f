"""The original's supervisorctl, again and again, without starting Python anew each time.

Listens on the socket that is its argument. Each connection brings words and a standard input, and gets the exit status
and what was printed; each is a fork of its own, so that nothing is left over from the one before. Ends with its
standard input.
"""
import os
import select
import signal
import socket
import sys

from supervisor.supervisorctl import main

path, program = sys.argv[1:]
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen(64)
print("ready", flush=True)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    ready, _, _ = select.select([server, 0], [], [])
    if 0 in ready:
        os._exit(0)
    connection, _ = server.accept()
    if os.fork() == 0:
        break
    connection.close()

signal.signal(signal.SIGCHLD, signal.SIG_DFL)
server.close()
request = b""
while piece := connection.recv(65536):
    request += piece
words, given = request.split(b"\0\0", 1)
stdin, to_stdin = os.pipe()
from_stdout, stdout = os.pipe()
child = os.fork()
if child == 0:
    connection.close()
    os.close(to_stdin)
    os.close(from_stdout)
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.argv = [program, *(word.decode() for word in words.split(b"\0"))]
    sys.exit(main())
os.close(stdin)
os.close(stdout)
# At most a few lines, which a pipe holds.
os.write(to_stdin, given)
os.close(to_stdin)
with open(from_stdout, "rb") as printed:
    output = printed.read()
_, status = os.waitpid(child, 0)
connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status) + output)
os._exit(0)

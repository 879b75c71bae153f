"""A program at a terminal, and what a person sees there."""
import re
import termios

import pexpect

from .wait import until

COLUMNS = 100
SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z@])|\x1b[()][A-Z0-9]|\x1b[=>]|[\r\n\b\a]|.", re.S)


def shown(raw):
    """The lines that a terminal has shown: what was overwritten is gone. Lines do not wrap, so they must be short."""
    lines, column = [[]], 0
    for match in SEQUENCE.finditer(raw):
        token, line = match[0], lines[-1]
        count = int(match[1]) if match[1] and match[1].isdigit() else 1
        if token == "\n":
            lines.append([])
        elif token == "\r":
            column = 0
        elif token == "\b":
            column = max(0, column - 1)
        elif match[2] == "K":
            del line[column:]
        elif match[2] == "C":
            column += count
        elif match[2] == "D":
            column = max(0, column - count)
        elif match[2] == "P":
            del line[column : column + count]
        elif match[2] == "@":
            line[column:column] = " " * count
        elif token[0] not in "\x1b\a":
            line.extend(" " * (column + 1 - len(line)))
            line[column] = token
            column += 1
    return "\n".join("".join(line) for line in lines)


class Terminal:
    def __init__(self, command, **spawn):
        self.child = pexpect.spawn(command[0], list(command[1:]), encoding="utf-8", dimensions=(24, COLUMNS), **spawn)
        self.child.delaybeforesend = None
        self.raw = ""

    def look(self):
        while True:
            try:
                self.raw += self.child.read_nonblocking(4096, timeout=0)
            except (pexpect.TIMEOUT, pexpect.EOF):
                return shown(self.raw)

    def type(self, keys):
        self.child.send(keys)

    def until(self, condition, what):
        return until(lambda: condition(self.look()), f"{what}; seen:\n{self.look()}")

    def until_text(self, text, count=1):
        return self.until(lambda seen: seen.count(text) >= count, f"{text!r}, {count} times")

    def until_last_line(self, text):
        return self.until(lambda seen: seen.rpartition("\n")[2].rstrip(" ") == text.rstrip(" "), f"the last line to be {text!r}")

    def until_edited(self):
        """Waits until a line editor has the terminal. The end of input is lost when it is typed before that."""
        self.until(lambda _: not termios.tcgetattr(self.child.child_fd)[3] & termios.ICANON, "a line editor at the terminal")

    def end(self):
        """Waits for the end and answers with the exit status."""
        self.until(lambda _: not self.child.isalive(), "the end")
        self.look()
        return self.child.exitstatus

    def close(self):
        self.child.close(force=True)

"""Holds back every exec of one file until it is let go: what a program on a dead network file system does."""
import ctypes
import os
import select
import struct
import threading

FAN_CLASS_CONTENT, FAN_CLOEXEC, FAN_NONBLOCK = 0x4, 0x1, 0x2
FAN_MARK_ADD, FAN_OPEN_EXEC_PERM = 0x1, 0x40000
FAN_ALLOW = 1
# struct fanotify_event_metadata: length, version, reserved, length of this, mask, descriptor, pid
METADATA = struct.Struct("=IBBHQii")


class HeldExec:
    """While it lives, an exec of `path` waits in the kernel. Needs root; `OSError` where the kernel cannot."""

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, os.O_RDONLY | os.O_CLOEXEC)
        mask = ctypes.c_uint64(FAN_OPEN_EXEC_PERM)
        if self.descriptor < 0 or libc.fanotify_mark(self.descriptor, FAN_MARK_ADD, mask, -100, os.fsencode(path)) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.waiting, self.is_held = [], True
        # Whoever execs while this thread is not there to answer would wait for ever, so it runs until the end.
        self.end_reader, self.end_writer = os.pipe()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while True:
            ready = select.select([self.descriptor, self.end_reader], [], [])[0]
            if self.end_reader in ready:
                return
            data = os.read(self.descriptor, 4096)
            for at in range(0, len(data), METADATA.size):
                opened = METADATA.unpack_from(data, at)[5]
                self.waiting.append(opened)
                if not self.is_held:
                    self._answer()

    def _answer(self):
        while self.waiting:
            opened = self.waiting.pop()
            try:
                os.write(self.descriptor, struct.pack("=iI", opened, FAN_ALLOW))
            except FileNotFoundError:
                pass  # whoever waited was killed meanwhile
            os.close(opened)

    def let_go(self):
        self.is_held = False
        self._answer()

    def close(self):
        self.let_go()
        os.write(self.end_writer, b".")
        self.thread.join()
        for descriptor in (self.descriptor, self.end_reader, self.end_writer):
            os.close(descriptor)

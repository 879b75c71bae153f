"""A file system whose server never answers: what a dead network file system does to whoever touches it."""
import ctypes
import os

MNT_DETACH = 2


class HangingMount:
    """While it lives, whoever looks for something below `directory` waits. Needs root; `OSError` where FUSE is missing."""

    def __init__(self, directory):
        self.directory = os.fsencode(directory)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.server},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        # The server is to answer the kernel's greeting, and everything else after that.
        if self.libc.mount(b"hanging", self.directory, b"fuse", 0, options) != 0:
            number = ctypes.get_errno()
            os.close(self.server)
            raise OSError(number, os.strerror(number))

    def let_go(self):
        """Whoever waits gets an error, as the connection to the server is lost."""
        if self.server is not None:
            os.close(self.server)
            self.server = None

    def close(self):
        self.let_go()
        self.libc.umount2(self.directory, MNT_DETACH)

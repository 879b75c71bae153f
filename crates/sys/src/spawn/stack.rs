//! The memory on which a child runs until it execs.
//!
//! It is a mapping of its own, because the child shares the daemon's memory and must not run over the frames of
//! the thread that waits for it. Below it lies a page that nobody may touch, so that an overflow ends the child
//! and harms nothing.

use std::ffi::c_void;
use std::io;
use std::ptr;

/// Room for the child: two small frames in an optimised build, far less than this in any other.
const USABLE_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct ChildStack {
    base: *mut c_void,
    bytes: usize,
}

impl ChildStack {
    pub(super) fn new() -> io::Result<Self> {
        let guard_bytes = rustix::param::page_size();
        let bytes = USABLE_BYTES + guard_bytes;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stack = Self { base, bytes };
        // SAFETY: the first page of the mapping just made, which holds nothing yet.
        let answer = unsafe { libc::mprotect(stack.base, guard_bytes, libc::PROT_NONE) };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(stack)
    }

    /// The end of the mapping, from where the stack grows down.
    pub(super) fn top(&mut self) -> *mut c_void {
        // SAFETY: one past the end of the mapping is still part of the allocation.
        unsafe { self.base.byte_add(self.bytes) }
    }
}

impl Drop for ChildStack {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours alone, and the child that ran on it has exec'd or exited.
        unsafe { libc::munmap(self.base, self.bytes) };
    }
}

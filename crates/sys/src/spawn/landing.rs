//! Where the descriptors of a child lie when it begins: at low numbers that are kept for that.
//!
//! A daemon of a thousand services has a few thousand open descriptors. A child that gets a copy of the whole
//! table, and then closes it, pays for each of them: when a thousand services were started, a quarter of the
//! starting thread's time went there. So the child begins with the daemon's own table (`CLONE_FILES`) and takes a copy of its lowest part
//! only (`close_range` with `CLOSE_RANGE_UNSHARE`), which is where its descriptors lie. Its first step
//! does that, before it changes anything in the table.

use std::ffi::{c_int, c_uint};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What a child may have at the least.
const FIRST_FREE: c_int = 3;

/// How many descriptors have a place: three streams, and one that a service tells its readiness by. A child that is
/// given more copies the whole table.
const PLACES: usize = 4;

/// Descriptors that belong to one thread which starts children. Between two starts they lead to the null
/// device, so that no pipe is held open.
#[derive(Debug)]
pub(super) struct Landing {
    places: [OwnedFd; PLACES],
    null: OwnedFd,
}

impl Landing {
    /// Takes the lowest free numbers.
    ///
    /// # Errors
    /// The kernel cannot copy a part of the table (before Linux 5.9, and in some containers), there is no null
    /// device, or no descriptor is free.
    pub(super) fn new() -> io::Result<Self> {
        // Closes nothing, as there are no such numbers: asks whether the call is there.
        // SAFETY: numbers.
        let answer =
            unsafe { libc::syscall(libc::SYS_close_range, c_uint::MAX, c_uint::MAX, 0 as c_uint) };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        let null = OwnedFd::from(std::fs::File::open("/dev/null")?);
        let place = || {
            // SAFETY: numbers.
            let number =
                unsafe { libc::fcntl(null.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) };
            if number < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
            Ok(unsafe { OwnedFd::from_raw_fd(number) })
        };
        let places = [place()?, place()?, place()?, place()?];
        Ok(Self { places, null })
    }

    /// Lets the places lead to what a child is to have. It is undone when the answer is dropped, after the child has
    /// its program.
    ///
    /// # Errors
    /// If there are more than places.
    pub(super) fn occupy(&self, sources: &[RawFd]) -> io::Result<Occupied<'_>> {
        if sources.len() > PLACES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let occupied = Occupied { landing: self };
        for (place, source) in self.places.iter().zip(sources) {
            lead(place, *source)?;
        }
        Ok(occupied)
    }
}

/// The places of a [`Landing`], in use.
#[derive(Debug)]
pub(super) struct Occupied<'a> {
    landing: &'a Landing,
}

impl Occupied<'_> {
    /// The places, in the order of what they lead to.
    pub(super) fn descriptors(&self) -> [RawFd; PLACES] {
        self.landing.places.each_ref().map(AsRawFd::as_raw_fd)
    }
}

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        for place in &self.landing.places {
            // Both exist, so there is nothing that could fail.
            let _ = lead(place, self.landing.null.as_raw_fd());
        }
    }
}

fn lead(place: &OwnedFd, source: RawFd) -> io::Result<()> {
    // SAFETY: the number at `place` is ours; what it led to is closed, and it stays open throughout.
    let answer = unsafe { libc::dup3(source, place.as_raw_fd(), libc::O_CLOEXEC) };
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::io::pipe;

    #[test]
    fn between_two_starts_nothing_is_held_open() {
        let landing = Landing::new().unwrap();
        let (mut reader, writer) = pipe().unwrap();
        let occupied = landing.occupy(&[writer.as_raw_fd(); 3]).unwrap();
        assert!(occupied.descriptors().iter().all(|place| *place >= 3));
        drop(writer);
        drop(occupied);
        let mut text = Vec::new();
        // Ends only because no writer is left.
        reader.read_to_end(&mut text).unwrap();
        assert!(text.is_empty());
    }
}

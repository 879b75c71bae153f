//! The sockets of the `NOTIFY_SOCKET` protocol: datagrams whose sender the kernel names.
//!
//! Their addresses are abstract ones. A file would need a directory that exists, that we may write to, and that every
//! service may search, in containers with a read-only root too; and it would be left behind. Everybody in the same
//! network namespace can send to an abstract address, so whoever reads has to look at the sender.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};
use rustix::rand::{GetRandomFlags, getrandom};

use super::PeerCredentials;

/// So many descriptors are taken from one datagram at the least; what there is no room for the kernel closes.
const MOST_DESCRIPTORS: usize = 4;
/// How many names are tried. One that is taken is as good as impossible.
const MOST_TRIES: u32 = 8;

/// Room for the sender and the descriptors, each with a header.
const CONTROL_BYTES: usize = 128;

/// Memory as the kernel wants it for what comes beside a datagram.
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// A socket that does not block, and what `NOTIFY_SOCKET` is for those who are to send to it.
#[derive(Debug)]
pub struct NotifySocket {
    /// The socket.
    pub socket: OwnedFd,
    /// Its address: `@` and a name.
    pub address: String,
}

impl NotifySocket {
    /// A new one, with a name that nobody has.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`.
    pub fn new() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        let mut tries = 0;
        loop {
            let mut random = [0; 8];
            getrandom(&mut random[..], GetRandomFlags::NONBLOCK)
                .or_else(|_| getrandom(&mut random[..], GetRandomFlags::empty()))?;
            let name = format!("linchpin/notify/{:016x}", u64::from_ne_bytes(random));
            let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
            tries += 1;
            match bind(&socket, &address) {
                Ok(()) => {
                    return Ok(Self {
                        socket,
                        address: format!("@{name}"),
                    });
                }
                Err(rustix::io::Errno::ADDRINUSE) if tries < MOST_TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A datagram that was received.
#[derive(Debug)]
pub struct Datagram {
    /// Its length, as far as it fitted into the buffer.
    pub length: usize,
    /// It was longer than the buffer.
    pub is_truncated: bool,
    /// Who sent it, as the kernel says.
    pub sender: Option<PeerCredentials>,
    /// The descriptors that came with it.
    pub descriptors: Vec<OwnedFd>,
}

/// Takes the next datagram from a socket.
///
/// # Errors
/// `WouldBlock` if there is none.
pub fn receive_datagram(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Datagram> {
    let mut control = Control([0; CONTROL_BYTES]);
    let mut parts = [IoSliceMut::new(buffer)];
    let header = MaybeUninit::<libc::msghdr>::zeroed();
    // SAFETY: a `msghdr` is numbers and pointers, for which zeroed bytes are valid.
    let mut header = unsafe { header.assume_init() };
    // An `IoSliceMut` is guaranteed to be what the kernel takes as an `iovec`.
    header.msg_iov = parts.as_mut_ptr().cast();
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL_BYTES;
    let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the header leads to one buffer and to memory for control messages, both valid for writes of as many bytes
    // as are announced, and alive until the call returns.
    let answer = unsafe { libc::recvmsg(descriptor, &raw mut header, flags) };
    let length = usize::try_from(answer).map_err(|_| io::Error::last_os_error())?;
    let control = &control.0[..header.msg_controllen.min(CONTROL_BYTES)];
    let mut datagram = Datagram {
        length,
        is_truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        sender: None,
        descriptors: Vec::new(),
    };
    for (kind, data) in Messages(control) {
        match kind {
            libc::SCM_CREDENTIALS => datagram.sender = credentials(data),
            libc::SCM_RIGHTS => {
                for number in data.chunks_exact(size_of::<RawFd>()) {
                    let number = RawFd::from_ne_bytes(number.try_into().unwrap_or_default());
                    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows of it.
                    datagram
                        .descriptors
                        .push(unsafe { OwnedFd::from_raw_fd(number) });
                }
            }
            _ => {}
        }
    }
    Ok(datagram)
}

/// The messages in a control buffer that the kernel has filled: kind and data of each.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (i32, &'a [u8]);

    /// Each begins with its length, header included, then level and kind; the next one is aligned like a length.
    fn next(&mut self) -> Option<Self::Item> {
        const WORD: usize = size_of::<usize>();
        const HEADER: usize = WORD + 2 * size_of::<i32>();
        let (length, rest) = self.0.split_first_chunk::<WORD>()?;
        let length = usize::from_ne_bytes(*length);
        let kind = rest.get(size_of::<i32>()..)?.first_chunk()?;
        let data = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(WORD)..).unwrap_or(&[]);
        Some((i32::from_ne_bytes(*kind), data))
    }
}

/// Reads the kernel's `struct ucred`.
fn credentials(data: &[u8]) -> Option<PeerCredentials> {
    let (pid, rest) = data.split_first_chunk()?;
    let (uid, rest) = rest.split_first_chunk()?;
    let gid = rest.first_chunk()?;
    Some(PeerCredentials {
        pid: i32::from_ne_bytes(*pid),
        uid: u32::from_ne_bytes(*uid),
        gid: u32::from_ne_bytes(*gid),
    })
}

const _: () = assert!(
    CONTROL_BYTES >= 2 * (size_of::<usize>() + 8) + 16 + MOST_DESCRIPTORS * size_of::<RawFd>() + 16
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, pipe};
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    fn connected(socket: &NotifySocket) -> UnixDatagram {
        let name = socket.address.strip_prefix('@').unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        let address = SocketAddr::from_abstract_name(name).unwrap();
        sender.connect_addr(&address).unwrap();
        sender
    }

    #[test]
    fn datagrams_come_with_their_sender() {
        let socket = NotifySocket::new().unwrap();
        let mut buffer = [0; 16];
        let error = receive_datagram(&socket.socket, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let sender = connected(&socket);
        sender.send(b"READY=1").unwrap();
        sender.send(b"").unwrap();
        let datagram = receive_datagram(&socket.socket, &mut buffer).unwrap();
        assert_eq!(&buffer[..datagram.length], b"READY=1");
        assert!(!datagram.is_truncated);
        let peer = datagram.sender.unwrap();
        assert_eq!(peer.pid, crate::Pid::of_this_process().get());
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        let empty = receive_datagram(&socket.socket, &mut buffer).unwrap();
        assert_eq!((empty.length, empty.is_truncated), (0, false));
    }

    #[test]
    fn one_that_is_too_long_says_so() {
        let socket = NotifySocket::new().unwrap();
        connected(&socket).send(&[b'x'; 17]).unwrap();
        let mut buffer = [0; 16];
        let datagram = receive_datagram(&socket.socket, &mut buffer).unwrap();
        assert_eq!((datagram.length, datagram.is_truncated), (16, true));
        assert!(datagram.sender.is_some());
    }

    /// Sends a message with as many copies of a descriptor.
    fn send_descriptors(to: &UnixDatagram, descriptor: &impl AsFd, count: usize) {
        let copies = vec![descriptor.as_fd(); count];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
        assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&copies)));
        let text = [io::IoSlice::new(b"BARRIER=1")];
        let flags = rustix::net::SendFlags::empty();
        rustix::net::sendmsg(to, &text, &mut control, flags).unwrap();
    }

    #[test]
    fn descriptors_come_along_and_none_is_left_open() {
        let socket = NotifySocket::new().unwrap();
        let sender = connected(&socket);
        let mut buffer = [0; 16];
        for count in [1, MOST_DESCRIPTORS, 64] {
            let (mut reader, writer) = pipe().unwrap();
            send_descriptors(&sender, &writer, count);
            drop(writer);
            let datagram = receive_datagram(&socket.socket, &mut buffer).unwrap();
            assert!(datagram.sender.is_some());
            assert!(datagram.descriptors.len() >= count.min(MOST_DESCRIPTORS));
            for descriptor in &datagram.descriptors {
                let flags = rustix::io::fcntl_getfd(descriptor).unwrap();
                assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
            }
            drop(datagram);
            // Ends only because no writer is left.
            reader.read_to_end(&mut Vec::new()).unwrap();
        }
    }

    #[test]
    fn what_the_kernel_would_never_write_is_no_trouble() {
        for length in [0_usize, 1, 15, 17, 4096, usize::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([0; 24]);
            assert!(Messages(&bytes).count() <= 2, "{length}");
        }
        assert_eq!(Messages(&[1, 2, 3]).count(), 0);
    }
}

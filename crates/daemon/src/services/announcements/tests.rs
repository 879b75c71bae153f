//! Announcements through real sockets and pipes. The service that speaks is mostly this process itself.

use std::io::{Read, Write, pipe};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use linchpin_core::CheckPurpose;
use linchpin_sys::sockets::{NotifySocket, PeerCredentials};

use super::membership::Kinship;
use super::*;

const START: (ProcessId, Generation) = (ProcessId(3), Generation(7));
const PATIENCE: Duration = Duration::from_secs(60);

struct Bench {
    announcements: Announcements,
    sender: UnixDatagram,
}

impl Bench {
    /// A service of this process id.
    fn of(pid: i32) -> Self {
        let NotifySocket { socket, address } = NotifySocket::new().unwrap();
        let mut announcements = Announcements::default();
        let ears = Ears {
            socket: Some(socket),
            pipes: Vec::new(),
            uid: uid(),
        };
        announcements.watch(START, pid, ears).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        let name = address.strip_prefix('@').unwrap();
        let address = SocketAddr::from_abstract_name(name).unwrap();
        sender.connect_addr(&address).unwrap();
        Self {
            announcements,
            sender,
        }
    }

    fn of_this_process() -> Self {
        Self::of(Pid::of_this_process().get())
    }

    /// What is heard once there is something, up to where nothing more is.
    async fn hear(&mut self) -> Vec<Heard> {
        hear(&mut self.announcements).await
    }

    async fn hear_after(&mut self, text: &str) -> Vec<Heard> {
        self.sender.send(text.as_bytes()).unwrap();
        self.hear().await
    }
}

async fn hear(announcements: &mut Announcements) -> Vec<Heard> {
    let mut heard = Vec::new();
    while heard.is_empty() {
        tokio::time::timeout(PATIENCE, announcements.ready())
            .await
            .unwrap();
        for source in announcements.take_ready() {
            loop {
                let next = announcements.hear(source, |_| false);
                if matches!(next, Heard::Nothing) {
                    break;
                }
                heard.push(next);
            }
        }
    }
    heard
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn notification(heard: &[Heard]) -> &Notification {
    match heard {
        [
            Heard::Event(
                Event::Notified {
                    process,
                    generation,
                    notification,
                },
                _,
            ),
        ] => {
            assert_eq!((*process, *generation), START);
            notification
        }
        _ => panic!("{heard:?}"),
    }
}

/// A process group that ends with the test, however that ends.
struct Kept(Child);

impl Kept {
    fn new(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().unwrap())
    }

    fn sleep() -> Self {
        Self::new(Command::new("sleep").arg("1000"))
    }

    fn pid(&self) -> Pid {
        Pid::new(self.0.id().try_into().unwrap()).unwrap()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = linchpin_sys::group::kill_group(self.pid(), 9);
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_service_is_heard_again_and_again() {
    let mut bench = Bench::of_this_process();
    for _ in 0..3 {
        let heard = bench.hear_after("READY=1\nSTATUS=fine").await;
        let told = notification(&heard);
        assert!(told.ready);
        assert_eq!(told.status.as_deref(), Some("fine"));
    }
    let heard = bench.hear_after("X_UNKNOWN=1").await;
    assert!(matches!(heard[..], [Heard::Noise]), "{heard:?}");
}

#[tokio::test]
async fn strangers_are_complained_of_once() {
    let stranger = Kept::sleep();
    let mut bench = Bench::of(stranger.pid().get());
    let heard = bench.hear_after("READY=1").await;
    match &heard[..] {
        [Heard::Complaint(text)] => assert!(text.contains("does not belong"), "{text}"),
        _ => panic!("{heard:?}"),
    }
    let heard = bench.hear_after("READY=1").await;
    assert!(matches!(heard[..], [Heard::Noise]), "{heard:?}");
}

#[tokio::test]
async fn what_is_too_long_is_ignored() {
    let mut bench = Bench::of_this_process();
    let long = format!("READY=1\nX={}", "x".repeat(MOST_MESSAGE_BYTES));
    let heard = bench.hear_after(&long).await;
    assert!(matches!(heard[..], [Heard::Complaint(_)]), "{heard:?}");
    let fits = format!("READY=1\nX={}", "x".repeat(MOST_MESSAGE_BYTES - 10));
    assert!(notification(&bench.hear_after(&fits).await).ready);
}

#[tokio::test]
async fn a_main_process_must_be_one_of_the_service() {
    let (child, stranger) = (Kept::sleep(), 1);
    let mut bench = Bench::of_this_process();
    let told = bench.hear_after(&format!("MAINPID={}", child.pid())).await;
    assert_eq!(notification(&told).main_pid, Some(child.pid().get()));
    let told = bench
        .hear_after(&format!("READY=1\nMAINPID={stranger}"))
        .await;
    assert_eq!(notification(&told).main_pid, None);
    assert!(notification(&told).ready);
    let told = bench.hear_after(&format!("MAINPID={stranger}")).await;
    assert!(matches!(told[..], [Heard::Complaint(_)]), "{told:?}");
}

#[tokio::test]
async fn a_closed_start_is_not_heard() {
    let mut bench = Bench::of_this_process();
    bench.sender.send(b"READY=1").unwrap();
    bench.announcements.close(START.1);
    assert!(bench.announcements.take_ready().is_empty());
    assert!(bench.announcements.sources_of(START.1).is_empty());
    // Whoever sends is told, once no child of another test has a copy of it any more, between its fork and its exec.
    let told = async {
        while bench.sender.send(b"READY=1").is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
}

#[tokio::test]
async fn a_newline_is_heard_once() {
    let mut announcements = Announcements::default();
    let (reader, mut writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&reader, true).unwrap();
    let check = Check {
        purpose: CheckPurpose::Readiness,
        index: 2,
    };
    let ears = Ears {
        socket: None,
        pipes: vec![(check, reader.into())],
        uid: uid(),
    };
    announcements.watch(START, 1, ears).unwrap();
    writer.write_all(b"not yet").unwrap();
    let heard = hear(&mut announcements).await;
    assert!(matches!(heard[..], [Heard::Noise]), "{heard:?}");
    writer.write_all(b"\nmore\n").unwrap();
    let heard = hear(&mut announcements).await;
    match &heard[..] {
        [
            Heard::Event(
                Event::Probed {
                    check: told,
                    attempt: 0,
                    outcome,
                    ..
                },
                _,
            ),
        ] => {
            assert_eq!((*told, outcome), (check, &ProbeOutcome::Passed));
        }
        _ => panic!("{heard:?}"),
    }
    assert!(announcements.sources_of(START.1).is_empty());
    assert!(writer.write_all(b"more\n").is_err());
}

#[tokio::test]
async fn the_end_of_a_main_process_is_seen() {
    let child = Kept::sleep();
    let mut bench = Bench::of_this_process();
    let main = child.pid();
    let pidfd = linchpin_sys::pidfd::open(main).unwrap();
    bench.announcements.main_is(START, main, pidfd).unwrap();
    assert!(bench.announcements.pidfd_of(main.get()).is_some());
    drop(child);
    let heard = bench.hear().await;
    assert!(
        matches!(heard[..], [Heard::MainEnded(pid)] if pid == main),
        "{heard:?}"
    );
    assert!(bench.announcements.pidfd_of(main.get()).is_none());
}

#[test]
fn relatives_are_told_from_strangers() {
    // The shell is a child of this process, as a service is of the daemon; `sleep` is its child.
    let script = "sleep 1000 & echo $!; wait";
    let mut shell = Kept::new(
        Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped()),
    );
    let mut text = String::new();
    let mut stdout = shell.0.stdout.take().unwrap();
    while !text.ends_with('\n') {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        text.push(byte[0].into());
    }
    let sleeper = Pid::new(text.trim().parse().unwrap()).unwrap();
    let service = shell.pid();
    let family = Family {
        members: [Some(service), None],
        uid: uid(),
    };
    let other = Kept::sleep();
    assert_eq!(family.kinship(service), Kinship::Member);
    assert_eq!(family.kinship(sleeper), Kinship::Member);
    assert_eq!(family.kinship(other.pid()), Kinship::Orphan(other.pid()));
    let init = Pid::new(1).unwrap();
    assert_eq!(family.kinship(init), Kinship::Stranger);

    let sender = |pid: Pid, uid| PeerCredentials {
        pid: pid.get(),
        uid,
        gid: 0,
    };
    let me = uid();
    let nobody = |_| false;
    let is_other = |pid| pid == other.pid();
    let stranger_uid = 4711;
    assert!(family.may_speak(sender(sleeper, stranger_uid), nobody));
    assert!(family.may_speak(sender(other.pid(), me), nobody));
    assert!(!family.may_speak(sender(other.pid(), me), is_other));
    assert!(!family.may_speak(sender(other.pid(), stranger_uid), nobody));
    let invisible = PeerCredentials {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    assert!(!family.may_speak(invisible, nobody));

    assert!(family.may_be_main(sleeper, sender(service, me), nobody));
    assert!(!family.may_be_main(sleeper, sender(service, me), |pid| pid == sleeper));
    assert!(family.may_be_main(other.pid(), sender(service, me), nobody));
    assert!(!family.may_be_main(other.pid(), sender(service, stranger_uid), nobody));
    assert!(!family.may_be_main(init, sender(service, 0), nobody));

    let other_pid = other.pid();
    drop(other);
    assert_eq!(family.kinship(other_pid), Kinship::Gone);
    assert!(family.may_speak(sender(other_pid, me), nobody));
    assert!(!family.may_speak(sender(other_pid, stranger_uid), nobody));
    assert!(!family.may_be_main(other_pid, sender(service, 0), nobody));
}

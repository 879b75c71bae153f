//! `/logtail` and `/mainlogtail`: the last bytes of a log, and then what is added, for as long as the client
//! stays.
//!
//! Files are looked at on workers, and only when the log thread says that something has changed. A task per
//! client does that; it ends with the client, with the connection, or when nothing can be added any more.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue, LAST_MODIFIED};
use linchpin_core::Target;
use linchpin_log::{FollowStep, Follower};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::answer::Answer;
use super::budget::{Budget, FollowerGuard};
use super::calendar::CivilTime;
use super::client_stream::ClientStream;
use super::limits::LOG_READ_TIME;
use super::server::Services;
use crate::control::{LogFileReply, Reply, Request, Stream};

/// With how many bytes an answer begins.
const LAST_BYTES: u64 = 1024;

const CONTENT_TYPE: &str = "text/plain;charset=utf-8";

/// Keeps nginx from collecting the answer.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const TRUNCATED: &[u8] = b"==> File truncated <==\n";

/// What stands behind `/logtail`, decoded: `/name`, `/name/stdout` or `/name/stderr`, after whatever else was
/// written up to the slash. None for what cannot be followed.
pub(crate) fn read_path(rest: &str) -> Option<(String, String, Stream)> {
    let (_, spec) = rest.split_once('/')?;
    let (spec, output) = match spec.split_once('/') {
        None => (spec, Stream::Stdout),
        Some((spec, "stdout")) => (spec, Stream::Stdout),
        Some((spec, "stderr")) => (spec, Stream::Stderr),
        Some(_) => return None,
    };
    match Target::parse(spec) {
        Target::Process { group, name } => Some((group, name, output)),
        Target::Group(_) | Target::Several(_) | Target::All => None,
    }
}

/// Follows a log of a process.
pub(crate) async fn process_log(
    services: &Services,
    stream: &Arc<ClientStream>,
    group: String,
    name: String,
    output: Stream,
) -> Answer {
    let watch = Request::WatchLog {
        group: group.clone(),
        name: name.clone(),
        stream: output,
    };
    let find = Request::LogFile {
        group,
        name,
        stream: output,
    };
    follow(services, stream, watch, find)
        .await
        .with_header(ACCEL_BUFFERING, HeaderValue::from_static("no"))
}

/// Follows the main log.
pub(crate) async fn main_log(services: &Services, stream: &Arc<ClientStream>) -> Answer {
    follow(
        services,
        stream,
        Request::WatchMainLog,
        Request::MainLogFile,
    )
    .await
}

async fn follow(
    services: &Services,
    stream: &Arc<ClientStream>,
    watch: Request,
    find: Request,
) -> Answer {
    let not_found = || Answer::error(StatusCode::NOT_FOUND);
    let Some(guard) = services.budget.follower() else {
        let because = "Too many logs are being followed.";
        return Answer::error_because(StatusCode::SERVICE_UNAVAILABLE, because);
    };
    // The watch comes before the first look, so that nothing falls in between.
    let Reply::Watch(Some(changes)) = services.control.ask(watch).await else {
        return not_found();
    };
    let Reply::LogFile(LogFileReply::Path(path)) = services.control.ask(find).await else {
        return not_found();
    };
    let opened = services.budget.look(move || open(Path::new(&path)));
    let (follower, modified) = match timeout(LOG_READ_TIME, opened).await {
        Ok(Some(Ok(opened))) => opened,
        // No log where one was expected is for the time being only.
        Ok(Some(Err(_))) => return not_found(),
        Ok(None) | Err(_) => return Answer::error(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let (pieces, receiver) = mpsc::channel(1);
    let producer = Producer {
        follower,
        changes,
        pieces,
        budget: Arc::clone(&services.budget),
    };
    tokio::spawn(producer.run(Arc::clone(stream), guard));
    let answer = Answer::stream(CONTENT_TYPE, receiver);
    match HeaderValue::try_from(CivilTime::of(modified).http_date()) {
        Ok(date) => answer.with_header(LAST_MODIFIED, date),
        Err(_) => answer,
    }
}

fn open(path: &Path) -> io::Result<(Follower, SystemTime)> {
    let modified = std::fs::metadata(path)?.modified()?;
    Ok((Follower::open(path, LAST_BYTES)?, modified))
}

/// Carries what is new in a log to its client.
struct Producer {
    follower: Follower,
    changes: watch::Receiver<u64>,
    pieces: mpsc::Sender<Bytes>,
    budget: Arc<Budget>,
}

impl Producer {
    async fn run(self, stream: Arc<ClientStream>, guard: FollowerGuard) {
        let _guard = guard;
        let pieces = self.pieces.clone();
        tokio::select! {
            () = self.send_changes() => {}
            () = pieces.closed() => {}
            () = stream.gone() => {}
        }
    }

    async fn send_changes(self) {
        let Self {
            mut follower,
            mut changes,
            pieces,
            budget,
        } = self;
        loop {
            changes.borrow_and_update();
            loop {
                let look = budget.look(move || (follower.step(), follower));
                let Some((step, same_follower)) = look.await else {
                    return;
                };
                follower = same_follower;
                let piece = match step {
                    Ok(FollowStep::Data(data)) => Bytes::from(data),
                    Ok(FollowStep::Truncated) => Bytes::from_static(TRUNCATED),
                    Ok(FollowStep::UpToDate) => break,
                    Err(_) => return,
                };
                if pieces.send(piece).await.is_err() {
                    return;
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_process_and_a_stream() {
        let cat = |output| Some(("cat".to_owned(), "cat".to_owned(), output));
        for (rest, expected) in [
            ("/cat", cat(Stream::Stdout)),
            ("foo/cat", cat(Stream::Stdout)),
            ("/cat/stdout", cat(Stream::Stdout)),
            ("/cat/stderr", cat(Stream::Stderr)),
            (
                "/a:b:c",
                Some(("a".to_owned(), "b:c".to_owned(), Stream::Stdout)),
            ),
            ("/cat/stdin", None),
            ("/cat/stdout/", None),
            ("/a:*", None),
            ("/a:", None),
            ("", None),
        ] {
            assert_eq!(read_path(rest), expected, "{rest}");
        }
    }
}

//! One connection from its beginning to its end.
//!
//! Hyper speaks HTTP; here its deadlines are kept. A client that sends nothing costs a socket and this task:
//! hyper and its buffers are made when the first byte is there.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::answer::raw_error;
use super::budget::Place;
use super::client_stream::{ClientIo, ClientStream};
use super::connection_state::{ConnectionState, Phase};
use super::limits::{FAREWELL_TIME, HEAD_TIME, LINGER_TIME, MAX_HEAD_BYTES, MAX_HEADER_LINES};
use super::router;
use super::server::Server;

/// Serves a client until it, we, or its patience with us ends.
pub(crate) async fn serve(
    server: Arc<Server>,
    stream: ClientStream,
    state: Arc<ConnectionState>,
    place: Place,
    shutdown: watch::Receiver<bool>,
) {
    let _place = place;
    let stream = Arc::new(stream);
    if !has_begun(&stream, &state, shutdown.clone()).await {
        return;
    }
    if let Some(farewell) = Box::pin(talk(server, &stream, &state, shutdown)).await {
        // A client that takes nothing now does not want to know.
        let _ = stream.try_write(&farewell);
    }
    stream.shut_down_writing();
    linger(&stream).await;
}

/// Waits for the first byte.
async fn has_begun(
    stream: &ClientStream,
    state: &ConnectionState,
    mut shutdown: watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        has_begun = stream.has_bytes() => has_begun,
        () = tokio::time::sleep(HEAD_TIME) => false,
        () = state.evicted() => false,
        _ = shutdown.wait_for(|is_ending| *is_ending) => false,
    }
}

/// Speaks HTTP; gives back what is still to be said when it ends by our will.
async fn talk(
    server: Arc<Server>,
    stream: &Arc<ClientStream>,
    state: &Arc<ConnectionState>,
    mut shutdown: watch::Receiver<bool>,
) -> Option<Vec<u8>> {
    let io = TokioIo::new(ClientIo {
        stream: Arc::clone(stream),
        state: Arc::clone(state),
    });
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let server = Arc::clone(&server);
        let (stream, state) = (Arc::clone(stream), Arc::clone(state));
        async move {
            let answer = router::answer(&server, &stream, &state, request).await;
            Ok::<_, Infallible>(answer.send(state))
        }
    });
    let mut http = pin!(
        http1::Builder::new()
            // A client may close its end as soon as it has asked: what it asked for is done all the same.
            .half_close(true)
            .title_case_headers(true)
            .max_headers(MAX_HEADER_LINES)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(io, service)
    );
    let mut sleep = pin!(sleep_until(Instant::now()));
    tokio::select! {
        biased;
        _ = http.as_mut() => return None,
        () = patience_ends(state, sleep.as_mut()) => return too_late(state.phase()),
        () = state.evicted() => return too_late(state.phase()),
        _ = shutdown.wait_for(|is_ending| *is_ending) => {}
    }
    if state.phase() != Phase::Following {
        http.as_mut().graceful_shutdown();
        let _ = timeout(FAREWELL_TIME, http).await;
    }
    None
}

/// Waits for the deadline of the connection's state, which moves with it. To be polled whenever that may
/// have changed, which is whenever the connection's task runs.
async fn patience_ends(state: &ConnectionState, mut sleep: Pin<&mut Sleep>) {
    poll_fn(|cx| {
        loop {
            let Some(deadline) = state.deadline() else {
                return Poll::Pending;
            };
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            ready!(sleep.as_mut().poll(cx));
            if state.deadline() == Some(deadline) {
                return Poll::Ready(());
            }
        }
    })
    .await;
}

fn too_late(phase: Phase) -> Option<Vec<u8>> {
    match phase {
        Phase::Head | Phase::Body => Some(raw_error(
            StatusCode::REQUEST_TIMEOUT,
            "The request did not come in time.",
        )),
        Phase::Fresh | Phase::Answering | Phase::Following | Phase::Idle => None,
    }
}

/// Reads and forgets what the client may still send, for a short time: closing a TCP socket that has unread
/// bytes makes the kernel send a reset, which may overtake the answer.
async fn linger(stream: &ClientStream) {
    let end = async {
        let mut forgotten = [0; 4096];
        loop {
            match stream.try_read(&mut forgotten) {
                Ok(0) => return,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if stream.readable().await.is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    };
    let _ = timeout(LINGER_TIME, Box::pin(end)).await;
}

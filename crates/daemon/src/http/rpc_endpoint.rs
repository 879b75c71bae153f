//! `/RPC2`: from the body of a POST to the document of an answer.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use linchpin_log::LogLevel;

use super::answer::Answer;
use super::connection_state::{ConnectionState, Phase};
use super::request_body;
use super::server::Services;
use crate::rpc::Document;

/// Answers a call. The call runs in a task of its own: a client that goes away loses the answer, never the
/// operation, and a bug in one call ends that call.
pub(crate) async fn answer(
    services: &Services,
    state: &Arc<ConnectionState>,
    request: Request<Incoming>,
) -> Answer {
    let Some(call) = services.budget.call() else {
        let because = "Too many calls are under way.";
        return Answer::error_because(StatusCode::SERVICE_UNAVAILABLE, because).closing();
    };
    let mut share = services.budget.body_share();
    state.enter(Phase::Body);
    let body = match request_body::read(request, &mut share).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    state.enter(Phase::Answering);
    let rpc = services.rpc.clone();
    let task = tokio::spawn(async move {
        let document = rpc.answer(body).await;
        drop((share, call));
        document
    });
    match task.await {
        Ok(Document::Xml { bytes, guard }) => {
            let answer = Answer::whole("text/xml", bytes);
            match guard {
                Some(guard) => answer.with_guard(guard),
                None => answer,
            }
        }
        Ok(Document::Unreadable) => Answer::error(StatusCode::BAD_REQUEST),
        Ok(Document::Unwritable) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR),
        Err(error) => {
            services.journal.log(
                LogLevel::Critical,
                format!("Handling XML-RPC request raised an unexpected exception: {error}"),
            );
            Answer::error(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

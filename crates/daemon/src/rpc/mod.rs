//! XML-RPC: from the text of a call to the text of its answer.
//!
//! Calls are found in the table of `linchpin-protocol` and nowhere else, carried out through
//! [`Control`], and answered with the structs of the wire. Nothing here knows HTTP.

mod answered;
mod cache;
mod config_conversion;
mod dispatch;
mod faults;
mod interfaces;
mod log_reading;
mod multicall;
mod process_conversion;
#[cfg(test)]
pub(crate) mod tests;
mod twiddler;

use std::sync::Arc;

use linchpin_log::LogLevel;
use linchpin_protocol::{
    Call, Fault, FaultCode, ReadError, WriteError, read_request, write_answer, write_fault,
};

use crate::api::Api;
use crate::control::{Control, Identity};
use crate::http::limits::INLINE_BYTES;
use crate::http::{AnswerShare, Budget, Guard, Journal};
use cache::Cache;

pub(crate) use answered::Answered;
pub(crate) use faults::fault_of;
pub use interfaces::RPC_INTERFACES;
pub(crate) use interfaces::{FACTORIES, Interfaces, Kind};
pub(crate) use process_conversion::local_description as description;

/// Everything that calls need. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    control: Control,
    identity: Identity,
    journal: Arc<dyn Journal>,
    interfaces: Interfaces,
    cache: Cache,
    api: Api,
    budget: Arc<Budget>,
}

/// What becomes of a call.
pub(crate) enum Document {
    /// An answer or a fault: HTTP 200.
    Xml {
        bytes: Vec<u8>,
        /// To be kept until the answer is sent.
        guard: Option<Guard>,
    },
    /// The request is no call: HTTP 400.
    Unreadable,
    /// The result cannot be put into XML-RPC: HTTP 500.
    Unwritable,
}

/// One request while it is carried out.
#[derive(Debug)]
struct Context<'a> {
    shared: &'a Arc<Shared>,
    /// Rights to large parts of logs.
    large_reads: Vec<tokio::sync::OwnedSemaphorePermit>,
    /// Room for the answer, kept until it is sent.
    room: AnswerShare,
}

impl<'a> Context<'a> {
    fn new(shared: &'a Arc<Shared>) -> Self {
        Self {
            shared,
            large_reads: Vec::new(),
            room: shared.budget.answer_share(),
        }
    }

    /// What is to be kept until the answer is sent.
    fn guard(self) -> Guard {
        Box::new(self.room)
    }

    /// Gives a result back if there is room for its document beside all others that are not sent yet.
    fn with_room(&mut self, result: Result<Answered, Fault>) -> Result<Answered, Fault> {
        let answered = result?;
        if answered.must_be_told() || self.room.grow_to(answered.weight()) {
            return Ok(answered);
        }
        Err(no_room())
    }
}

fn no_room() -> Fault {
    let because = "too many large answers are waiting to be taken";
    Fault::with(FaultCode::Failed, because)
}

impl Rpc {
    pub(crate) fn new(
        control: Control,
        identity: Identity,
        journal: Arc<dyn Journal>,
        interfaces: Interfaces,
        budget: Arc<Budget>,
    ) -> Self {
        let api = Api::new(control.clone(), identity.clone(), Arc::clone(&budget));
        Self {
            shared: Arc::new(Shared {
                control,
                identity,
                api,
                journal,
                interfaces,
                cache: Cache::default(),
                budget,
            }),
        }
    }

    /// Our own documents.
    pub(crate) fn api(&self) -> &Api {
        &self.shared.api
    }

    /// Carries out a call for one of the web pages, which need no `[rpcinterface:supervisor]`. What comes
    /// beside the result is to be kept until the answer is sent.
    pub(crate) async fn carry_out(&self, call: Call) -> (Result<Answered, Fault>, Option<Guard>) {
        let mut context = Context::new(&self.shared);
        let result = match context.running().await {
            Ok(_) => context.carry_out(call).await,
            Err(fault) => Err(fault),
        };
        let result = context.with_room(result);
        (result, Some(context.guard()))
    }

    /// Carries out the call in the body of a request. Takes as long as the call takes.
    pub(crate) async fn answer(&self, body: Vec<u8>) -> Document {
        let journal = &self.shared.journal;
        let request = match read(body).await {
            Ok(request) => request,
            Err(line) => {
                journal.log(LogLevel::Error, line);
                return Document::Unreadable;
            }
        };
        let method = request.method;
        let trace = |line: &dyn Fn() -> String| {
            if journal.is_logged(LogLevel::Trace) {
                journal.log(LogLevel::Trace, line());
            }
        };
        trace(&|| format!("XML-RPC method called: {method}()"));
        let mut context = Context::new(&self.shared);
        let result = context.call(&method, request.parameters).await;
        let result = context.with_room(result);
        match &result {
            Ok(_) => trace(&|| format!("XML-RPC method {method}() returned successfully")),
            Err(fault) => trace(&|| {
                let Fault { code, text } = fault;
                format!("XML-RPC method {method}() returned fault: [{code}] {text}")
            }),
        }
        match write(result).await {
            Ok(bytes) => Document::Xml {
                bytes,
                guard: Some(context.guard()),
            },
            Err(error) => {
                journal.log(
                    LogLevel::Critical,
                    format!("Handling XML-RPC request {method}() raised an unexpected exception: {error}"),
                );
                Document::Unwritable
            }
        }
    }
}

/// Reads a request, large ones on a worker. The error is the line for the main log.
async fn read(body: Vec<u8>) -> Result<linchpin_protocol::Request, String> {
    let read = |body: Vec<u8>| {
        let Ok(text) = String::from_utf8(body) else {
            return Err("XML-RPC request data is invalid: unmarshallable (not UTF-8)".to_owned());
        };
        read_request(&text).map_err(|error| complaint(&text, &error))
    };
    if body.len() <= INLINE_BYTES {
        return read(body);
    }
    tokio::task::spawn_blocking(move || read(body))
        .await
        .unwrap_or_else(|error| Err(format!("XML-RPC request data is invalid: {error}")))
}

/// The original's words, and what is wrong. The original repeats all of the data.
fn complaint(text: &str, error: &ReadError) -> String {
    const MOST_CHARACTERS: usize = 200;
    let mut shown: String = text.chars().take(MOST_CHARACTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let what = if text.contains("<methodCall") && !text.contains("<methodName") {
        "no method name"
    } else {
        "unmarshallable"
    };
    format!("XML-RPC request data {shown:?} is invalid: {what} ({error})")
}

/// Writes an answer, large ones on a worker.
async fn write(result: Result<Answered, Fault>) -> Result<Vec<u8>, WriteError> {
    let answered = match result {
        Ok(answered) => answered,
        Err(fault) => return Ok(write_fault(&fault)),
    };
    if answered.weight() <= INLINE_BYTES {
        return write_answer(&answered);
    }
    tokio::task::spawn_blocking(move || write_answer(&answered))
        .await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

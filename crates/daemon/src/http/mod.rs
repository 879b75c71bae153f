//! HTTP over unix sockets and TCP: connections, limits, authentication, and the way to what answers.
//!
//! The servers know the supervision through [`Control`](crate::control::Control) only. They look at files
//! on workers, never on the thread that they share with the supervision.

mod answer;
mod api_endpoint;
mod authentication;
mod budget;
pub(crate) mod calendar;
mod client_stream;
mod connection;
mod connection_state;
mod cross_site;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod journal;
pub(crate) mod limits;
mod log_tail;
mod openapi;
mod percent;
mod request_body;
mod router;
mod rpc_endpoint;
mod server;
mod settings_endpoint;
#[cfg(test)]
mod tests;
mod web;

pub(crate) use answer::Guard;
pub(crate) use budget::{AnswerShare, Budget};
pub(crate) use journal::Journal;
pub(crate) use server::{Listener, ServerConfig, Services, serve};

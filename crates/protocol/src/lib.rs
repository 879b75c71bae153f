//! What crosses a socket: XML-RPC values and faults, the table of methods, the structs that they
//! carry, event payloads, and a small client.
//!
//! Both ends use it: the daemon reads calls and writes answers, `supervisorctl` the reverse. Nothing
//! here decides anything about services, and nothing here listens.
#![forbid(unsafe_code)]

pub mod api;

mod answer;
mod arguments;
mod call;
mod config_info;
mod fault;
mod limits;
mod method;
mod method_table;
mod namespec;
mod payload;
mod process_info;
mod process_state;
mod reference;
mod request;
mod results;
mod value;
mod value_reader;
mod value_writer;
mod xml;

pub mod client;

pub use answer::{write_answer, write_call, write_fault};
pub use call::{Call, MulticallItem};
pub use config_info::{AutorestartInfo, ConfigInfo, OutputInfo};
pub use fault::{Fault, FaultCode};
pub use limits::{MAX_DEPTH, MAX_MEMBERS, MAX_REQUEST_BYTES, MAX_VALUES};
pub use method::{
    Method, MethodSpec, Parameter, ParameterType, ReturnType, find_method, method_help,
    method_names, method_signature,
};
pub use method_table::METHODS;
pub use namespec::{Namespec, make_namespec};
pub use payload::{
    StateChange, envelope, group_payload, output_payload, remote_communication_payload,
    state_payload, tick_payload,
};
pub use process_info::ProcessInfo;
pub use process_state::{ProcessState, SupervisorState};
pub use reference::rpc_reference;
pub use request::{Request, read_request};
pub use results::{ReloadResult, StatusResult, TailResult};
pub use value::Value;
pub use value_reader::{ReadValue, ValueReader, read_answer};
pub use value_writer::{StructWriter, ValueWriter, WriteError, WriteValue};
pub use xml::ReadError;

/// Version of the XML-RPC interface that we speak and expect.
pub const API_VERSION: &str = "3.0";

/// The release of Supervisor that this daemon stands in for (`getSupervisorVersion`, `--version`).
pub const SUPERVISOR_VERSION: &str = "4.3.0";

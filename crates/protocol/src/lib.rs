//! What crosses a socket: XML-RPC values, faults and method signatures, event names and payloads.
#![forbid(unsafe_code)]

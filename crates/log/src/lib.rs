//! Bytes of the services: capture, rotation, ANSI stripping, syslog, tail, and the main log.
#![forbid(unsafe_code)]

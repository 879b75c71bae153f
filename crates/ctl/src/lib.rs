//! People's clients: supervisorctl.
#![forbid(unsafe_code)]

//! Every system call that needs unsafe code or care: spawn, reap, signals, credentials, limits, accounts.

//! Bounds of what is read from a peer. One place, so that they can be reviewed together.

/// Longest XML-RPC request in bytes; longer ones are refused before they are read.
///
/// The original has no bound. The largest legitimate request is a `sendProcessStdin`.
pub const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Deepest nesting of XML elements. One level of an array costs three, one of a struct four.
pub const MAX_DEPTH: usize = 192;

/// Most `<value>` elements of one request.
pub const MAX_VALUES: usize = 100_000;

/// Most members of one struct of a request. The original's calls need two.
pub const MAX_MEMBERS: usize = 1_000;

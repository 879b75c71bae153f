//! How much a pool may hold.

/// Most bytes of words and output in the events that wait in one pool; beyond it the oldest are dropped, as beyond `buffer_size`. One event may wait however large it is.
pub const EVENT_BUFFER_MAX_BYTES: usize = 32 << 20;

/// Most bytes of the line in which a listener says how long its result is; a longer one breaks the protocol. The original waits for its end for ever.
pub const RESULT_LINE_MAX_BYTES: usize = 4 << 10;

/// Most bytes of a result that `supervisor_stdout:event_handler` prints; a longer one is an error of the listener.
pub const PRINTED_RESULT_MAX_BYTES: usize = 1 << 20;

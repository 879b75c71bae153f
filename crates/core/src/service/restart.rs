//! How a service is started again: backoff, crash loops, a second chance after FATAL.

use serde::{Deserialize, Serialize};

/// What is known of restarts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Restarts {}

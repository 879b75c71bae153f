//! Who waits for whom.

use serde::{Deserialize, Serialize};

/// What a service waits for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {}

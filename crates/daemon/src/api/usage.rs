//! What services use, measured when somebody asks: one measurement at a time, shared by all who ask meanwhile.

use std::collections::HashMap;
use std::time::Duration;

use linchpin_protocol::api::Usage;
use linchpin_sys::usage::tree_usage;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::http::Budget;

/// How long the kernel may compute the parts of shared memory; what is left gets simpler figures.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long anybody waits for figures; then there are none.
const LIMIT: Duration = Duration::from_secs(5);

/// How long figures are good for whoever asks again.
const FRESH: Duration = Duration::from_millis(500);

type Figures = HashMap<i32, Usage>;

#[derive(Debug, Default)]
pub(super) struct Meter {
    latest: Mutex<Option<Latest>>,
}

#[derive(Debug)]
struct Latest {
    at: Instant,
    roots: Vec<i32>,
    figures: Figures,
}

impl Meter {
    /// The figures of the trees of these processes. None of those that are gone, and none at all if it takes too
    /// long.
    pub(super) async fn measure(&self, roots: Vec<i32>, budget: &Budget) -> Figures {
        timeout(LIMIT, self.latest_of(roots, budget))
            .await
            .unwrap_or_default()
    }

    async fn latest_of(&self, roots: Vec<i32>, budget: &Budget) -> Figures {
        let mut latest = self.latest.lock().await;
        if let Some(known) = &*latest
            && known.roots == roots
            && known.at.elapsed() < FRESH
        {
            return known.figures.clone();
        }
        let wanted = roots.clone();
        let looked = budget.look(move || tree_usage(&wanted, PATIENCE)).await;
        let figures: Figures = match looked {
            Some(Ok(usage)) => usage
                .into_iter()
                .map(|(pid, usage)| {
                    let usage = Usage {
                        processes: usage.processes,
                        memory: usage.memory,
                        memory_is_rss: usage.is_rss,
                        cpu_ms: usage.cpu_ms,
                    };
                    (pid, usage)
                })
                .collect(),
            Some(Err(_)) | None => Figures::new(),
        };
        *latest = Some(Latest {
            at: Instant::now(),
            roots,
            figures: figures.clone(),
        });
        figures
    }
}

//! Reading pieces of logs, on workers, a bounded number at a time and for no longer than [`LOG_READ_TIME`].

use std::path::PathBuf;

use linchpin_log::{ReadError, Tail, decode_lossy, read_file, tail_file};
use linchpin_protocol::{Fault, FaultCode, TailResult};
use tokio::time::timeout;

use super::{Answered, Context};
use crate::http::limits::{LARGE_LOG_READ_BYTES, LOG_READ_TIME};

/// Which part of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) offset: i64,
    pub(crate) length: i64,
}

impl Range {
    fn is_large(self) -> bool {
        let bytes = match (self.offset, self.length) {
            (..0, 0) => self.offset.saturating_neg(),
            (_, 0) => i64::MAX,
            (_, length) => length,
        };
        bytes > LARGE_LOG_READ_BYTES
    }
}

impl Context<'_> {
    /// `readLog` and its like.
    pub(crate) async fn read_log(&mut self, path: String, range: Range) -> Result<Answered, Fault> {
        let named = path.clone();
        let text = self
            .look(range, move || {
                let data = read_file(&PathBuf::from(path), range.offset, range.length)?;
                Ok(into_text(data))
            })
            .await?;
        text.map(Answered::Text).map_err(|error| match error {
            ReadError::BadArguments => Fault::bare(FaultCode::BadArguments),
            ReadError::NoFile => Fault::with(FaultCode::NoFile, named),
            ReadError::Failed(_) => Fault::bare(FaultCode::Failed),
        })
    }

    /// `tailProcessStdoutLog` and its like.
    pub(crate) async fn tail_log(&mut self, path: String, range: Range) -> Result<Answered, Fault> {
        let Tail {
            data,
            offset,
            overflow,
        } = self
            .look(range, move || {
                tail_file(&PathBuf::from(path), range.offset, range.length)
            })
            .await?;
        Ok(Answered::Tail(TailResult {
            text: into_text(data).into(),
            offset,
            overflow,
        }))
    }

    /// Whether there is such a file.
    pub(crate) async fn log_exists(&mut self, path: String) -> Result<bool, Fault> {
        let nothing = Range {
            offset: 0,
            length: 1,
        };
        self.look(nothing, move || PathBuf::from(path).exists())
            .await
    }

    async fn look<T: Send + 'static>(
        &mut self,
        range: Range,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let budget = &self.shared.budget;
        let large_reads = &mut self.large_reads;
        let work = async {
            // One right to much of a log is enough for a request: what a multicall may gather is bounded
            // elsewhere.
            if range.is_large() && large_reads.is_empty() {
                large_reads.push(budget.large_read().await?);
            }
            budget.look(look).await
        };
        match timeout(LOG_READ_TIME, work).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) | Err(_) => Err(Fault::bare(FaultCode::Failed)),
        }
    }
}

/// What is no UTF-8 is replaced; text that is stays where it is in memory.
fn into_text(data: Vec<u8>) -> String {
    String::from_utf8(data).unwrap_or_else(|error| decode_lossy(error.as_bytes()).into_owned())
}

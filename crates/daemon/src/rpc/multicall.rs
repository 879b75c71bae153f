//! What comes before a call is carried out, and `system.multicall`: calls one after the other, each with its
//! own result or fault.

use linchpin_protocol::{Call, Fault, FaultCode, MulticallItem, Value};

use super::answered::weight_of_item;
use super::{Answered, Context, Kind, no_room};
use crate::http::limits::MAX_ANSWER_BYTES;

/// How many calls are carried out before others get a turn on this thread.
const CALLS_IN_A_ROW: usize = 32;

/// About how many bytes of XML a short fault makes.
const FAULT_BYTES: usize = 256;

impl Context<'_> {
    /// Carries out any call.
    pub(crate) async fn call(
        &mut self,
        method: &str,
        parameters: Vec<Value>,
    ) -> Result<Answered, Fault> {
        let (call, kind) = self.parse(method, parameters)?;
        if let Call::Multicall { calls } = call {
            return self.each(calls).await.map(Answered::Many);
        }
        self.unless_ending(call, kind).await
    }

    /// Carries a call out unless the daemon is ending: then only those are that concern nobody but the
    /// client or the listeners.
    async fn unless_ending(&mut self, call: Call, kind: Option<Kind>) -> Result<Answered, Fault> {
        match kind {
            Some(Kind::Main) if matches!(call, Call::SendRemoteCommEvent { .. }) => {}
            Some(Kind::Main) => {
                self.running().await?;
            }
            Some(Kind::Twiddler | Kind::Cache) => self.not_shut_down().await?,
            // How the end goes on is worth knowing.
            Some(Kind::Linchpin) | None => {}
        }
        self.carry_out(call).await
    }

    /// Checks a call against the table and against what is configured.
    fn parse(&self, method: &str, parameters: Vec<Value>) -> Result<(Call, Option<Kind>), Fault> {
        let Some(called) = self.shared.interfaces.find(method) else {
            return Err(Fault::bare(FaultCode::UnknownMethod));
        };
        let call = Call::parse(&called.name, parameters)?;
        called.check_allowed()?;
        Ok((call, called.kind))
    }

    async fn each(
        &mut self,
        calls: Vec<MulticallItem>,
    ) -> Result<Vec<Result<Answered, Fault>>, Fault> {
        // Each gets an answer, at the least that there is no room for more: there must be room for that
        // before the first is carried out.
        if !self.room.grow_to(FAULT_BYTES * calls.len()) {
            return Err(no_room());
        }
        let mut results = Vec::with_capacity(calls.len());
        let mut bytes = 0_usize;
        let mut is_full = false;
        for (number, item) in calls.into_iter().enumerate() {
            if number % CALLS_IN_A_ROW == CALLS_IN_A_ROW - 1 {
                // Calls that ask nobody are answered without a pause, and a request may have many of them.
                tokio::task::yield_now().await;
            }
            let result = if is_full {
                Err(Fault::with(FaultCode::Failed, "the answer is too large"))
            } else {
                self.one(item).await
            };
            bytes = bytes.saturating_add(weight_of_item(&result));
            is_full = is_full || bytes > MAX_ANSWER_BYTES || !self.room.grow_to(bytes);
            results.push(result);
        }
        Ok(results)
    }

    async fn one(&mut self, item: MulticallItem) -> Result<Answered, Fault> {
        let (method, parameters) = item.call?;
        let (call, kind) = self.parse(&method, parameters)?;
        self.unless_ending(call, kind).await
    }
}

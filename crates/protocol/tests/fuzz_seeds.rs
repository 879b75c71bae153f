//! The seeds of the fuzz target about XML-RPC documents, and what the target found.

#[path = "../../../fuzz/src/replay.rs"]
pub mod replay;
#[path = "../../../fuzz/src/rpc.rs"]
pub mod rpc;

#[test]
fn any_document_is_read_or_refused() {
    replay::replay("rpc", rpc::document);
}

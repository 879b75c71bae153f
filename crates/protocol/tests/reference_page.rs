//! The committed reference page is what the tables say.

#[test]
fn the_reference_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference-rpc.md");
    let generated = linchpin_protocol::rpc_reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/reference-rpc.md differs; run with UPDATE_DOCS=1 to write it"
    );
}

//! What must be true of any XML-RPC document: it is read or refused, and what is read can be written and read
//! again.

use linchpin_protocol::{
    Call, ConfigInfo, ProcessInfo, ReloadResult, StatusResult, TailResult, Value, read_answer,
    read_request, write_answer, write_call,
};

/// Read as either.
pub fn document(data: &[u8]) {
    request(data);
    answer(data);
}

/// A request: what a client sends.
fn request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(request) = read_request(&text) else {
        return;
    };
    let parameters: Vec<&dyn linchpin_protocol::WriteValue> = request
        .parameters
        .iter()
        .map(|value| value as &dyn linchpin_protocol::WriteValue)
        .collect();
    if let Ok(written) = write_call(&request.method, &parameters) {
        let written = String::from_utf8(written).expect("documents are text");
        let again = read_request(&written).expect("what was written can be read");
        assert_eq!(again.parameters.len(), request.parameters.len());
    }
    let _ = Call::parse(&request.method, request.parameters);
}

/// An answer: what a daemon sends, ours or another.
fn answer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = read_answer::<bool>(&text);
    let _ = read_answer::<i64>(&text);
    let _ = read_answer::<String>(&text);
    let _ = read_answer::<Vec<ProcessInfo<'_>>>(&text);
    let _ = read_answer::<Vec<ConfigInfo<'_>>>(&text);
    let _ = read_answer::<Vec<StatusResult<'_>>>(&text);
    let _ = read_answer::<TailResult<'_>>(&text);
    let _ = read_answer::<ReloadResult>(&text);
    if let Ok(Ok(value)) = read_answer::<Value>(&text)
        && let Ok(written) = write_answer(&value)
    {
        let written = String::from_utf8(written).expect("documents are text");
        read_answer::<Value>(&written)
            .expect("what was written can be read")
            .expect("it is no fault");
    }
}

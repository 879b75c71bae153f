//! Whole documents: a call, an answer, a fault.

use crate::fault::Fault;
use crate::value_writer::{ValueWriter, WriteError, WriteValue};

/// The document of a successful answer.
///
/// # Errors
///
/// When the value cannot be written; the caller then answers with HTTP 500, as the original does.
pub fn write_answer(value: &(impl WriteValue + ?Sized)) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n");
    value.write_value(&mut ValueWriter::new(&mut out))?;
    out.extend_from_slice(b"</param>\n</params>\n</methodResponse>\n");
    Ok(out)
}

/// The document of a fault.
#[must_use]
pub fn write_fault(fault: &Fault) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut writer = ValueWriter::new(&mut out);
    writer.raw(b"<?xml version='1.0'?>\n<methodResponse>\n<fault>\n");
    fault.write_struct(&mut writer);
    writer.raw(b"</fault>\n</methodResponse>\n");
    out
}

/// The document of a call.
///
/// # Errors
///
/// When a parameter cannot be written.
pub fn write_call(method: &str, parameters: &[&dyn WriteValue]) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::with_capacity(256);
    let mut writer = ValueWriter::new(&mut out);
    writer.raw(b"<?xml version='1.0'?>\n<methodCall>\n<methodName>");
    writer.text(method);
    writer.raw(b"</methodName>\n<params>\n");
    for parameter in parameters {
        writer.raw(b"<param>\n");
        parameter.write_value(&mut writer)?;
        writer.raw(b"</param>\n");
    }
    writer.raw(b"</params>\n</methodCall>\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultCode;

    #[test]
    fn documents_look_as_python_prints_them() {
        assert_eq!(
            String::from_utf8(write_answer(&true).unwrap()).unwrap(),
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n\
             <value><boolean>1</boolean></value>\n</param>\n</params>\n</methodResponse>\n"
        );
        assert_eq!(
            String::from_utf8(write_fault(&Fault::with(FaultCode::BadName, "<x>"))).unwrap(),
            "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n\
             <name>faultCode</name>\n<value><int>10</int></value>\n</member>\n<member>\n\
             <name>faultString</name>\n<value><string>BAD_NAME: &lt;x&gt;</string></value>\n\
             </member>\n</struct></value>\n</fault>\n</methodResponse>\n"
        );
        assert_eq!(
            String::from_utf8(write_call("a.b", &[&"x"]).unwrap()).unwrap(),
            "<?xml version='1.0'?>\n<methodCall>\n<methodName>a.b</methodName>\n<params>\n\
             <param>\n<value><string>x</string></value>\n</param>\n</params>\n</methodCall>\n"
        );
    }
}

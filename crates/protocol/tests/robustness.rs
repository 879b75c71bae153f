//! Whatever arrives, readers answer; what was written can be read.

#[cfg(test)]
mod robustness {
    use linchpin_protocol::{Value, read_answer, read_request, write_answer};
    use proptest::prelude::*;

    /// Documents put together from pieces of documents, so that many are nearly right.
    fn documents() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "<methodCall>",
            "</methodCall>",
            "<methodName>",
            "</methodName>",
            "<methodResponse>",
            "</methodResponse>",
            "<fault>",
            "</fault>",
            "<params>",
            "</params>",
            "<param>",
            "</param>",
            "<value>",
            "</value>",
            "<array>",
            "<data>",
            "</data></array>",
            "<struct>",
            "</struct>",
            "\n<member>\n<name>",
            "</name>\n<value>",
            "\n</member>",
            "<int>5</int></value>",
            "<string>x</string></value>",
            "<string/>",
            "<nil/>",
            "text",
            "\n",
            "&amp;",
            "&#x41;",
            "&",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE x [",
            "]>",
            "<?xml version='1.0'?>",
            "<",
            ">",
            "é",
            "\u{1b}",
            "\u{ffff}",
        ]);
        prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::Bool),
            any::<i32>().prop_map(|number| Value::Int(i64::from(number))),
            "[ -~\n\té日\u{1f600}]*".prop_map(Value::String),
            (-1e300..1e300_f64).prop_map(Value::Double),
        ];
        leaf.prop_recursive(6, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map("[a-z<&]{0,4}", inner, 0..6)
                    .prop_map(|members| Value::Struct(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_is_read_or_refused(document in documents()) {
            let _ = read_request(&document);
            let _ = read_answer::<Value>(&document);
        }

        #[test]
        fn any_text_is_read_or_refused(document in any::<String>()) {
            let _ = read_request(&document);
            let _ = read_answer::<Value>(&document);
        }

        #[test]
        fn what_is_written_can_be_read(value in values()) {
            let document = String::from_utf8(write_answer(&value).unwrap()).unwrap();
            prop_assert_eq!(read_answer::<Value>(&document), Ok(Ok(value.clone())));
            // The same in another form goes another way through the reader.
            let spread = document.replace("<member>", "<member >").replace("<int>", "<int >");
            prop_assert_eq!(read_answer::<Value>(&spread), Ok(Ok(value)));
        }
    }
}

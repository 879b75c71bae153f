//! The same documents, read and written by Python's xmlrpc.client and by the original's own reader.
//!
//! Skipped unless LINCHPIN_ORACLE names a Python with Supervisor installed.

#[cfg(test)]
mod oracle {
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use linchpin_protocol::{
        Value, method_names, method_signature, read_request, write_answer, write_call,
    };

    /// Gives a script lines of hexadecimal bytes and returns the lines that it prints.
    fn python(script: &str, inputs: &[Vec<u8>]) -> Option<Vec<String>> {
        let Some(python) = std::env::var_os("LINCHPIN_ORACLE") else {
            println!("skipped: LINCHPIN_ORACLE names no Python with Supervisor");
            return None;
        };
        let mut child = Command::new(python)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines: Vec<String> = inputs.iter().map(|input| hex(input) + "\n").collect();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(lines.concat().as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().map(str::to_owned).collect())
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn values() -> Vec<Value> {
        let text = |text: &str| Value::String(text.to_owned());
        let mut values = vec![
            Value::Bool(true),
            Value::Bool(false),
            Value::Int(0),
            Value::Int(i64::from(i32::MIN)),
            Value::Int(i64::from(i32::MAX)),
            text(""),
            text("<&>\"'"),
            text("tab\there\nand é ü 日本 \u{1f600}"),
            text("  blanks  "),
            text("]]>"),
            Value::DateTime("20261123T23:20:03".to_owned()),
            Value::Nil,
            Value::Array(vec![]),
            Value::Struct(vec![]),
            Value::Array(vec![Value::Array(vec![Value::Int(1)]), text("x")]),
            Value::Struct(vec![
                ("b<".to_owned(), Value::Int(1)),
                (
                    "a".to_owned(),
                    Value::Struct(vec![(String::new(), text("y"))]),
                ),
            ]),
        ];
        for number in [
            0.0,
            -0.0,
            1.0,
            1.5,
            -2.25,
            1e15,
            1e16,
            1.5e16,
            123_456_789.125,
            1e-4,
            1e-5,
            5e-324,
            1.797_693_134_862_315_7e308,
            0.1,
            2.0 / 3.0,
        ] {
            values.push(Value::Double(number));
        }
        values
    }

    #[test]
    fn python_prints_what_we_print() {
        let values = values();
        let mut documents: Vec<Vec<u8>> = values
            .iter()
            .map(|value| write_answer(value).unwrap())
            .collect();
        documents.push(write_call("a.b", &[&"x", &5_i64, &true]).unwrap());
        documents.push(write_call("a.b", &[]).unwrap());
        let script = "
import sys, xmlrpc.client as x
for line in sys.stdin:
    value, method = x.loads(bytes.fromhex(line))
    print(x.dumps(value, methodname=method, methodresponse=not method, allow_none=True).encode().hex())
";
        let Some(printed) = python(script, &documents) else {
            return;
        };
        assert_eq!(printed.len(), documents.len());
        for (ours, theirs) in documents.iter().zip(printed) {
            assert_eq!(hex(ours), theirs, "{}", String::from_utf8_lossy(ours));
        }
    }

    /// One line for a value, the same as the script's.
    fn render(value: &Value) -> String {
        match value {
            Value::Nil => "nil".to_owned(),
            Value::Bool(value) => format!("b{}", u8::from(*value)),
            Value::Int(value) => format!("i{value}"),
            Value::Double(value) => format!("f{}", hex(&value.to_be_bytes())),
            Value::String(text) => format!("s{}", hex(text.as_bytes())),
            Value::DateTime(text) => format!("d{text}"),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(render).collect();
                format!("[{}]", items.join(","))
            }
            Value::Struct(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}:{}", hex(name.as_bytes()), render(value)))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn requests() -> Vec<String> {
        let mut documents: Vec<String> = [
            "",
            "hello",
            "<a/>",
            "<methodCall/>",
            "<methodCall><methodName/></methodCall>",
            "<methodCall><methodName></methodName><params/></methodCall>",
            "<methodCall><methodName>a.b</methodName></methodCall>",
            "<methodCall><methodName> a.b </methodName></methodCall>",
            "<methodCall><methodName>a<x/>b</methodName></methodCall>",
            "<methodName>a.b</methodName>",
            "<x><methodName>a.b</methodName><params><param><value>1</value></param></params></x>",
            "<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>",
            "<methodCall><methodName>a</methodName><params><x>t</x></params></methodCall>",
            "<methodCall><methodName>a</methodName><params>t</params></methodCall>",
            "<methodCall><methodName>a</methodName><params/><params><param><value>2</value></param></params></methodCall>",
            "<!DOCTYPE methodCall SYSTEM \"x.dtd\"><methodCall><methodName>a</methodName></methodCall>",
            "<methodCall><methodName>a</methodName></methodCall><x/>",
            "<methodCall><methodName>a</methodName></methodCall>x",
            "<methodCall><methodName>a</methodName></methodCall> <!-- x -->\n",
            "<methodCall><methodName>a</methodName>",
            "\u{feff}<methodCall><methodName>a</methodName></methodCall>",
            "<methodCall a='1' b = \"2\"><methodName>a</methodName></methodCall >",
        ]
        .map(str::to_owned)
        .to_vec();
        for value in [
            "",
            "text",
            " text ",
            "<int>5</int>",
            " <int>5</int> ",
            "x<int>5</int>y",
            "<int> 5 </int>",
            "<int>+5</int>",
            "<int>-05</int>",
            "<int>1_0</int>",
            "<int>1__0</int>",
            "<int>_1</int>",
            "<int>1_</int>",
            "<int>+-5</int>",
            "<int>5.0</int>",
            "<int>0x5</int>",
            "<int/>",
            "<int>9223372036854775807</int>",
            "<i4>7</i4>",
            "<i8>7</i8>",
            "<i8/>",
            "<nil/>",
            "<ex:nil xmlns:ex='u'/>",
            "<foo>bar</foo>",
            "<foo><bar>x</bar></foo>",
            "<boolean>1</boolean>",
            "<boolean>0</boolean>",
            "<boolean> 1</boolean>",
            "<boolean>true</boolean>",
            "<boolean/>",
            "<string/>",
            "<string>a<b>c</b>d</string>",
            "<string>a\r\nb\rc</string>",
            "<string>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;&#x1F600;</string>",
            "<string>&nbsp;</string>",
            "<string>&#0;</string>",
            "<string>&#27;</string>",
            "<string>&#xFFFF;</string>",
            "<string>\u{1b}</string>",
            "<string>\u{ffff}</string>",
            "<string>\u{7f}\u{80}\u{85}</string>",
            "<string><![CDATA[<x>&amp;]]></string>",
            "<string>a<!-- b -->c</string>",
            "<string>a<?pi b?>c</string>",
            "<string>a & b</string>",
            "<string>a < b</string>",
            "<double>1.5</double>",
            "<double> 1e3 </double>",
            "<double>1</double>",
            "<double>x</double>",
            "<double/>",
            "<double>inf</double>",
            "<double>-Infinity</double>",
            "<base64>aGVs\nbG8=</base64>",
            "<base64/>",
            "<base64>aGVsbG8</base64>",
            "<base64>/w==</base64>",
            "<dateTime.iso8601>20261123T23:20:03</dateTime.iso8601>",
            "<dateTime.iso8601>2026-11-23T23:20:03</dateTime.iso8601>",
            "<dateTime.iso8601/>",
            "<array/>",
            "<array><data/></array>",
            "<array><data><value>a</value><value><int>1</int></value></data></array>",
            "<array><data>text<value/></data></array>",
            "<array><value>a</value></array>",
            "<array><data><int>5</int></data></array>",
            "<struct/>",
            "<struct><member><name>a</name><value>b</value></member></struct>",
            "<struct><member><value>b</value><name>a</name></member></struct>",
            "<struct><x><name/><value/></x></struct>",
            "<struct><member><name>a</name></member></struct>",
            "<struct><member><name>a</name><value/><value/></member></struct>",
            "<struct><member/></struct>",
            "<struct>text</struct>",
            "<struct><member><name>a</name><value>1</value></member><member><name>a</name><value>2</value></member></struct>",
            "<int>5</int><int>6</int>",
            "<value>inner</value>",
            "<int>5</INT>",
            "<INT>5</INT>",
        ] {
            documents.push(format!(
                "<?xml version='1.0'?>\n<methodCall>\n<methodName>a.b</methodName>\n<params>\n\
                 <param><value>{value}</value></param>\n</params>\n</methodCall>\n"
            ));
        }
        documents.extend(shuffled());
        for parameters in [
            "<param/>",
            "<param><int>5</int></param>",
            "<param><value/><value>x</value></param>",
            "<param>text</param>",
            "<value>x</value>",
            "<param><value>1</value></param><param><value>2</value></param>",
        ] {
            documents.push(format!(
                "<methodCall><methodName>a.b</methodName><params>{parameters}</params></methodCall>"
            ));
        }
        documents
    }

    /// Values of pieces in any order, always the same ones: many are nearly right.
    fn shuffled() -> Vec<String> {
        let pieces = [
            "text",
            " ",
            "\r\n",
            "é",
            "<int>5</int>",
            "<string>x</string>",
            "<b>",
            "</b>",
            "</b >",
            "<b/>",
            "<b c='1'/>",
            "<b c=\"<\"/>",
            "<b c/>",
            "<b c='1' c='2'/>",
            "<b -c='1'/>",
            "<-b/>",
            "<b/ >",
            "<b,c/>",
            "< b/>",
            "<é/>",
            "<!-- c -->",
            "<!-- c -- d -->",
            "<!--->",
            "<?pi c?>",
            "<??>",
            "<?xml version='1.0'?>",
            "<![CDATA[<&]]>",
            "<![CDATA[",
            "]]>",
            "]",
            ">",
            "&amp;",
            "&#65;",
            "&#x1f600;",
            "&#xd800;",
            "&#x1F;",
            "&#65",
            "&nbsp;",
            "&;",
            "&",
            "<",
            "<!DOCTYPE b>",
            "<!b>",
            "<b c='&amp;'/>",
            "<b c='&x;'/>",
            "<value>",
            "</value>",
        ];
        let mut state: u64 = 9;
        let mut below = |limit: usize| {
            // Knuth's numbers; the low bits are poor.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % limit
        };
        (0..2000)
            .map(|_| {
                let value: String = (0..=below(4)).map(|_| pieces[below(pieces.len())]).collect();
                format!(
                    "<methodCall><methodName>a.b</methodName><params><param><value>{value}</value></param></params>\
                     </methodCall>"
                )
            })
            .collect()
    }

    #[test]
    fn requests_are_read_as_the_original_reads_them() {
        let script = "
import sys, datetime, struct
from supervisor.xmlrpc import supervisor_xmlrpc_handler
handler = supervisor_xmlrpc_handler(None, [])
def render(v):
    if v is None: return 'nil'
    if isinstance(v, bool): return 'b%d' % v
    if isinstance(v, int): return 'i%d' % v
    if isinstance(v, float): return 'f' + struct.pack('>d', v).hex()
    if isinstance(v, str): return 's' + v.encode().hex()
    if isinstance(v, datetime.datetime): return 'd' + v.strftime('%Y%m%dT%H:%M:%S')
    if isinstance(v, (list, tuple)): return '[' + ','.join(map(render, v)) + ']'
    if isinstance(v, dict): return '{' + ','.join(k.encode().hex() + ':' + render(w) for k, w in v.items()) + '}'
    raise TypeError(v)
for line in sys.stdin:
    try:
        params, method = handler.loads(bytes.fromhex(line).decode())
        if not method: raise ValueError
        print(render(method), render(params or ()))
    except Exception:
        print('error')
";
        let documents = requests();
        let inputs: Vec<Vec<u8>> = documents.iter().map(|d| d.clone().into_bytes()).collect();
        let Some(expected) = python(script, &inputs) else {
            return;
        };
        assert_eq!(expected.len(), documents.len());
        for (document, expected) in documents.iter().zip(expected) {
            let found = match read_request(document) {
                Ok(request) => format!(
                    "{} {}",
                    render(&Value::String(request.method)),
                    render(&Value::Array(request.parameters))
                ),
                Err(_) => "error".to_owned(),
            };
            assert_eq!(found, expected, "{document}");
        }
    }

    #[test]
    fn the_same_methods_have_the_same_signatures() {
        let script = "
from supervisor.xmlrpc import SystemNamespaceRPCInterface
from supervisor.rpcinterface import SupervisorNamespaceRPCInterface
system = SystemNamespaceRPCInterface([('supervisor', SupervisorNamespaceRPCInterface(None))])
for name in system.listMethods():
    print(name, *system.methodSignature(name))
";
        let Some(expected) = python(script, &[]) else {
            return;
        };
        // The other namespaces are those of packages, which are compared where they are installed.
        let is_of_the_original =
            |name: &&str| name.starts_with("system.") || name.starts_with("supervisor.");
        let found: Vec<String> = method_names()
            .into_iter()
            .filter(is_of_the_original)
            .map(|name| format!("{name} {}", method_signature(name).unwrap().join(" ")))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_originals_own_parser_of_help_understands_ours() {
        let script = "
import sys
from supervisor.xmlrpc import gettags
for line in sys.stdin:
    tags = gettags(bytes.fromhex(line).decode())
    print(' '.join('%s %s' % (t[1], t[2]) for t in tags if t[1]))
";
        let helps: Vec<Vec<u8>> = method_names()
            .into_iter()
            .map(|name| linchpin_protocol::method_help(name).unwrap().into_bytes())
            .collect();
        let Some(tags) = python(script, &helps) else {
            return;
        };
        for (name, tags) in method_names().into_iter().zip(tags) {
            let signature = method_signature(name).unwrap();
            let mut expected: Vec<String> = signature[1..]
                .iter()
                .map(|kind| format!("param {kind}"))
                .collect();
            expected.push(format!("return {}", signature[0]));
            assert_eq!(tags, expected.join(" "), "{name}");
        }
    }
}

//! The reference page of the XML-RPC interface, from the tables.

use std::fmt::Write as _;

use crate::fault::FaultCode;
use crate::method::MethodSpec;
use crate::method_table::METHODS;

/// The text of `docs/reference-rpc.md`.
#[must_use]
pub fn rpc_reference() -> String {
    let mut page = String::from(
        "# Reference: XML-RPC\n\n\
         Generated from the tables of `crates/protocol`; a test fails when it differs.\n\n\
         Calls are `POST` requests to `/RPC2` on any of the daemon's sockets. Every method of \
         `supervisor` can answer `INCORRECT_PARAMETERS`, and all but `sendRemoteCommEvent` answer \
         `SHUTDOWN_STATE` once the daemon restarts or shuts down.\n",
    );
    for (namespace, section) in [
        ("supervisor", "[rpcinterface:supervisor]"),
        ("system", ""),
        ("twiddler", "[rpcinterface:twiddler]"),
        ("cache", "[rpcinterface:cache]"),
        ("linchpin", ""),
    ] {
        // Writing to a string cannot fail, here and below.
        let _ = write!(page, "\n## {namespace}\n");
        if !section.is_empty() {
            let _ = write!(page, "\nThere with a section `{section}`.\n");
        }
        if namespace == "linchpin" {
            page.push_str(
                "\nAlways there; `system.listMethods` lists them if the file has a section \
                 `[linchpin]`. The documents are those of `/api/v1`: [explaining.md](explaining.md).\n",
            );
        }
        for spec in METHODS {
            if spec.method.name().split('.').next() == Some(namespace) {
                method(&mut page, spec);
            }
        }
    }
    page.push_str("\n## Faults\n\n| code | name | meaning |\n|---|---|---|\n");
    for fault in FaultCode::ALL {
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            fault.code(),
            fault.name(),
            fault.meaning()
        );
    }
    page
}

fn method(page: &mut String, spec: &MethodSpec) {
    let parameters: Vec<String> = spec
        .parameters
        .iter()
        .map(|parameter| match parameter.default {
            Some(default) => format!("{}={default}", parameter.name),
            None => parameter.name.to_owned(),
        })
        .collect();
    let _ = write!(
        page,
        "\n### {}({})\n\n{}\n\n",
        spec.method.name(),
        parameters.join(", "),
        spec.help
    );
    for parameter in spec.parameters {
        let _ = writeln!(
            page,
            "- `{}` ({}): {}",
            parameter.name,
            parameter.kind.name(),
            parameter.help
        );
    }
    let (result, help) = spec.result;
    let _ = writeln!(
        page,
        "- returns `{result}` ({}): {help}",
        spec.returns.name()
    );
    if !spec.faults.is_empty() {
        let names: Vec<&str> = spec.faults.iter().map(|fault| fault.name()).collect();
        let _ = writeln!(page, "- faults: {}", names.join(", "));
    }
    if !spec.aliases.is_empty() {
        let _ = writeln!(page, "- older name: `{}`", spec.aliases.join("`, `"));
    }
}

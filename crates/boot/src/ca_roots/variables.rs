//! The variables through which programs learn what to trust.

use std::fmt;
use std::path::Path;

use linchpin_config::CaRootsConfig;

use super::{BUNDLE, CUSTOM, JAVA_STORE};

const JAVA: &str = "JAVA_TOOL_OPTIONS";
const NODE: &str = "NODE_EXTRA_CA_CERTS";

/// The property that anybody sets who wants another trust store for Java.
const JAVA_PROPERTY: &str = "-Djavax.net.ssl.trustStore=";

/// A variable that makes programs trust what is in the folder.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What is set by us.
    pub own: String,
    /// What it has already, which stays behind ours. Options of a JVM may hold passwords, so nothing shows it.
    present: Option<String>,
}

impl Variable {
    /// Whether there is more in it than what is set by us.
    #[must_use]
    pub fn is_added(&self) -> bool {
        self.present.is_some()
    }

    /// The whole value.
    #[must_use]
    pub fn value(&self) -> String {
        match &self.present {
            None => self.own.clone(),
            // Set by us, for the process that started us.
            Some(present) if present.contains(&self.own) => present.clone(),
            Some(present) => format!("{} {present}", self.own),
        }
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("name", &self.name)
            .field("own", &self.own)
            .field("is_added", &self.is_added())
            .finish_non_exhaustive()
    }
}

/// The variables to set, and why some are not.
pub(super) fn variables(
    config: &CaRootsConfig,
    output: &Path,
    system: Option<&Path>,
    environment: &[(String, String)],
) -> (Vec<Variable>, Vec<String>) {
    let (mut variables, mut warnings) = (Vec::new(), Vec::new());
    for name in &config.variables {
        let present = environment
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str());
        if name == JAVA {
            let own = java_options(output).join(" ");
            let names_another =
                present.is_some_and(|it| it.contains(JAVA_PROPERTY) && !it.contains(&own));
            if !config.java_trust_store {
                continue;
            }
            if names_another {
                warnings.push(format!(
                    "{JAVA} names a trust store already and stays as it is: Java does not trust the certificates of \
                     the folder"
                ));
                continue;
            }
            variables.push(Variable {
                name: name.clone(),
                own,
                present: present.map(str::to_owned),
            });
            continue;
        }
        // Somebody who says what is so anyway loses nothing by ours, which has all of it.
        let is_system = present.is_some_and(|it| is_same_file(it, system));
        let bundle = output.join(BUNDLE).display().to_string();
        let is_bundle = name != NODE || is_system || present == Some(&bundle);
        let own = if is_bundle {
            bundle
        } else {
            output.join(CUSTOM).display().to_string()
        };
        match present {
            Some(present) if present != own && !is_system => warnings.push(format!(
                "{name} is set already, to {present}, and stays so: programs that read it do not trust the \
                 certificates of the folder"
            )),
            Some(_) | None => variables.push(Variable {
                name: name.clone(),
                own,
                present: None,
            }),
        }
    }
    (variables, warnings)
}

fn is_same_file(text: &str, system: Option<&Path>) -> bool {
    system.is_some_and(|system| {
        let path = Path::new(text);
        path == system
            || path
                .canonicalize()
                .is_ok_and(|it| system.canonicalize().is_ok_and(|system| it == system))
    })
}

fn java_options(output: &Path) -> [String; 2] {
    let store = output.join(JAVA_STORE).display().to_string();
    let needs_quotes = store.contains(|it: char| it.is_whitespace() || it == '\'');
    let quote = if needs_quotes { "\"" } else { "" };
    [
        format!("{quote}{JAVA_PROPERTY}{store}{quote}"),
        "-Djavax.net.ssl.trustStoreType=PKCS12".to_owned(),
    ]
}

/// The same as a file of options, for `java @FILE`, where a backslash in quotes must be doubled.
pub(super) fn java_options_file(output: &Path) -> String {
    let mut text = java_options(output).join("\n").replace('\\', "\\\\");
    text.push('\n');
    text
}

/// Lines for a shell, and for whoever reads files of variables. What a variable has already is not written but named,
/// which only a shell understands.
pub(super) fn environment_file(variables: &[Variable]) -> String {
    use std::fmt::Write as _;
    let mut text = "# Made by `linchpin boot ca-roots`.\n".to_owned();
    for Variable { name, own, present } in variables {
        let own = own.replace('\'', r#"'"'"'"#);
        // Writing to a string cannot fail.
        let _ = match present {
            None => writeln!(text, "{name}='{own}'"),
            Some(_) => writeln!(text, "{name}='{own}'\"${{{name}:+ ${name}}}\""),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use linchpin_config::{OnFailure, StepPolicy, SystemBundle, TRUST_VARIABLES};

    use super::*;

    fn config() -> CaRootsConfig {
        CaRootsConfig {
            directory: "/c".to_owned(),
            output: "/run/l".to_owned(),
            system_bundle: SystemBundle::None,
            java_trust_store: true,
            variables: TRUST_VARIABLES.map(str::to_owned).to_vec(),
            policy: StepPolicy::on_failure(OnFailure::Fatal),
        }
    }

    fn run(environment: &[(&str, &str)]) -> (Vec<Variable>, Vec<String>) {
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let system = Some(Path::new("/etc/system.pem"));
        variables(&config(), Path::new("/run/l"), system, &environment)
    }

    fn value(variables: &[Variable], name: &str) -> Option<String> {
        let found = variables.iter().find(|it| it.name == name);
        found.map(Variable::value)
    }

    const OPTIONS: &str =
        "-Djavax.net.ssl.trustStore=/run/l/java.p12 -Djavax.net.ssl.trustStoreType=PKCS12";

    #[test]
    fn every_program_gets_its_file() {
        let (variables, warnings) = run(&[("CURL_CA_BUNDLE", "")]);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(variables.len(), TRUST_VARIABLES.len());
        assert_eq!(
            value(&variables, "CURL_CA_BUNDLE").as_deref(),
            Some("/run/l/bundle.pem")
        );
        assert_eq!(
            value(&variables, NODE).as_deref(),
            Some("/run/l/custom.pem")
        );
        assert_eq!(value(&variables, JAVA).as_deref(), Some(OPTIONS));
    }

    #[test]
    fn what_is_set_from_outside_stays_and_is_told() {
        let (variables, warnings) = run(&[
            ("SSL_CERT_FILE", "/etc/mine.pem"),
            ("GIT_SSL_CAINFO", "/run/l/bundle.pem"),
            (JAVA, "-Xmx1g"),
        ]);
        assert_eq!(value(&variables, "SSL_CERT_FILE"), None);
        assert_eq!(
            value(&variables, "GIT_SSL_CAINFO").as_deref(),
            Some("/run/l/bundle.pem")
        );
        assert_eq!(value(&variables, JAVA), Some(format!("{OPTIONS} -Xmx1g")));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("SSL_CERT_FILE is set already, to /etc/mine.pem"));
        let again = format!("{OPTIONS} -Xmx1g");
        let (variables, _) = run(&[(JAVA, &again)]);
        assert_eq!(value(&variables, JAVA), Some(again.clone()));
        let (variables, warnings) = run(&[(JAVA, "-Djavax.net.ssl.trustStore=/mine")]);
        assert_eq!(value(&variables, JAVA), None);
        assert!(warnings[0].contains("names a trust store already"));
    }

    #[test]
    fn who_names_the_bundle_of_the_system_gets_ours_which_has_all_of_it() {
        let system = "/etc/system.pem";
        let (first, warnings) = run(&[("SSL_CERT_FILE", system), (NODE, system)]);
        assert_eq!(warnings, Vec::<String>::new());
        for name in ["SSL_CERT_FILE", NODE] {
            assert_eq!(value(&first, name).as_deref(), Some("/run/l/bundle.pem"));
        }
        let (again, _) = run(&[(NODE, "/run/l/bundle.pem")]);
        assert_eq!(value(&again, NODE).as_deref(), Some("/run/l/bundle.pem"));
    }

    #[test]
    fn values_survive_a_shell() {
        let mut variable = Variable {
            name: "A".to_owned(),
            own: "it's $x".to_owned(),
            present: None,
        };
        let text = environment_file(std::slice::from_ref(&variable));
        assert!(text.ends_with("A='it'\"'\"'s $x'\n"), "{text}");
        variable.present = Some("secret".to_owned());
        let text = environment_file(std::slice::from_ref(&variable));
        assert!(text.ends_with("A='it'\"'\"'s $x'\"${A:+ $A}\"\n"), "{text}");
        assert!(!format!("{variable:?}{text}").contains("secret"));
    }
}

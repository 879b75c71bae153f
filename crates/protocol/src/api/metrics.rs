//! `/metrics`: the same as `/api/v1/services` for Prometheus and whoever reads its text format (version 0.0.4,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write as _;

use super::status::{CertificateOrigin, CertificateStatus, ServiceStatus, StatusReport};

/// The content type of the text.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics. Names and labels are never changed and never given another meaning.
#[must_use]
pub fn metrics(report: &StatusReport) -> String {
    let mut text = Text::default();
    let daemon = &report.daemon;
    text.family("linchpin_info", "gauge", "The daemon and its version.");
    text.sample(&[("version", &daemon.version), ("state", &daemon.state)], 1);
    text.family(
        "linchpin_ready",
        "gauge",
        "Whether everything that is not optional is ready.",
    );
    text.sample(&[], u64::from(report.ready));
    of_services(&report.services, &mut text);
    if !report.certificates.is_empty() {
        of_certificates(&report.certificates, &mut text);
    }
    text.0
}

fn of_services(services: &[ServiceStatus], text: &mut Text) {
    type Value = fn(&ServiceStatus) -> Option<u64>;
    let families: [(&'static str, &str, &str, Value); 7] = [
        (
            "linchpin_service_up",
            "gauge",
            "Whether it has a process.",
            |it| Some(u64::from(it.pid.is_some())),
        ),
        (
            "linchpin_service_ready",
            "gauge",
            "Whether it is as it should be: up and ready, or a oneshot that has done its work.",
            |it| Some(u64::from(it.ready)),
        ),
        (
            "linchpin_service_wanted",
            "gauge",
            "Whether it starts with the daemon, or somebody has asked for it.",
            |it| Some(u64::from(it.wanted)),
        ),
        (
            "linchpin_service_restarts",
            "gauge",
            "How often it was started again by itself since somebody started it.",
            |it| Some(u64::from(it.restarts)),
        ),
        (
            "linchpin_service_stale_settings",
            "gauge",
            "How many settings have changed since it was started, which it does not know yet.",
            |it| u64::try_from(it.stale.len()).ok(),
        ),
        (
            "linchpin_service_memory_bytes",
            "gauge",
            "Memory of it and its descendants; what is shared counts in parts.",
            |it| it.usage.map(|usage| usage.memory),
        ),
        (
            "linchpin_service_processes",
            "gauge",
            "How many processes it and its descendants are.",
            |it| it.usage.map(|usage| u64::from(usage.processes)),
        ),
    ];
    for (name, kind, help, value) in families {
        text.family(name, kind, help);
        for service in services {
            if let Some(value) = value(service) {
                text.sample(&labels(service), value);
            }
        }
    }
    text.family(
        "linchpin_service_cpu_seconds_total",
        "counter",
        "Processor time of it and its descendants since its process began.",
    );
    for service in services {
        if let Some(usage) = service.usage {
            let (seconds, rest) = (usage.cpu_ms / 1000, usage.cpu_ms % 1000);
            text.sample(&labels(service), format_args!("{seconds}.{rest:03}"));
        }
    }
    text.family(
        "linchpin_service_state",
        "gauge",
        "Its state, as Supervisor names it: always 1.",
    );
    for service in services {
        let [one, other] = labels(service);
        text.sample(&[one, other, ("state", &service.state)], 1);
    }
}

fn labels(service: &ServiceStatus) -> [(&'static str, &str); 2] {
    [("group", &service.group), ("name", &service.name)]
}

fn of_certificates(certificates: &[CertificateStatus], text: &mut Text) {
    text.family(
        "linchpin_certificate_usable",
        "gauge",
        "Whether there is a certificate for servers to use; its origin is provided, previous, self-signed or none.",
    );
    for certificate in certificates {
        let origin = match certificate.origin {
            CertificateOrigin::Provided => "provided",
            CertificateOrigin::Previous => "previous",
            CertificateOrigin::SelfSigned => "self-signed",
            CertificateOrigin::None => "none",
        };
        let is_usable = certificate.origin != CertificateOrigin::None;
        let labels = [
            ("certificate", certificate.name.as_str()),
            ("origin", origin),
        ];
        text.sample(&labels, u64::from(is_usable));
    }
    text.family(
        "linchpin_certificate_expiry_timestamp_seconds",
        "gauge",
        "When it ends, in seconds since 1970.",
    );
    for certificate in certificates {
        if let Some(until) = certificate.until {
            let labels = [("certificate", certificate.name.as_str())];
            text.sample(&labels, until.div_euclid(1000));
        }
    }
    text.family(
        "linchpin_certificate_warnings",
        "gauge",
        "How much of it should be seen to, such as the days that are left.",
    );
    for certificate in certificates {
        let count = certificate.warnings.len() + usize::from(certificate.problem.is_some());
        text.sample(&[("certificate", certificate.name.as_str())], count);
    }
}

/// The text, with the name of the family that is written.
#[derive(Default)]
struct Text(String, &'static str);

impl Text {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.1 = name;
        // Texts take everything.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(self.1);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            self.0.push_str(name);
            self.0.push_str("=\"");
            for character in value.chars() {
                match character {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_written_so_that_they_can_be_read() {
        let mut text = Text::default();
        text.family("a", "gauge", "What.");
        text.sample(&[("x", "b\\a\"d\nly"), ("y", "")], -1);
        text.sample(&[], 2);
        assert_eq!(
            text.0,
            "# HELP a What.\n# TYPE a gauge\na{x=\"b\\\\a\\\"d\\nly\",y=\"\"} -1\na 2\n"
        );
    }
}

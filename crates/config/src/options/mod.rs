//! The options, defined once as data.
//!
//! The reader, the defaults, the sample file, the reference page and the suggestions for misspelt names
//! all come from this table. An option that is not here does not exist.

pub(crate) mod boot;
mod daemon;
pub(crate) mod linchpin;
pub(crate) mod preflight;
mod program;
mod servers;
pub(crate) mod service;
pub(crate) mod setting;
pub(crate) mod template;

use crate::value_kind::ValueKind;

pub(crate) use daemon::*;
pub(crate) use program::*;
pub(crate) use servers::*;

/// The kinds of section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// `[supervisord]`
    Supervisord,
    /// `[unix_http_server]` and every name that begins so.
    UnixHttpServer,
    /// `[inet_http_server]` and every name that begins so.
    InetHttpServer,
    /// `[supervisorctl]`
    Supervisorctl,
    /// `[rpcinterface:x]`
    RpcInterface,
    /// `[ctlplugin:x]`
    CtlPlugin,
    /// `[include]`
    Include,
    /// `[program:x]`
    Program,
    /// `[fcgi-program:x]`
    FcgiProgram,
    /// `[eventlistener:x]`
    EventListener,
    /// `[group:x]`
    Group,
    /// `[DEFAULT]`, whose keys count in every section.
    Default,
    /// `[linchpin]`: what the daemon can do beyond Supervisor.
    Linchpin,
    /// `[setting:x]`: a setting of the product.
    Setting,
    /// `[ca-roots]`: authorities that are trusted besides the system's.
    CaRoots,
    /// `[certificate:x]`
    Certificate,
    /// `[template:x]`: files that are made of others.
    Template,
    /// `[preflight:x]`: what must be true of the machine.
    Preflight,
}

impl SectionKind {
    /// All kinds, in the order of the sample file.
    pub const ALL: [Self; 18] = [
        Self::UnixHttpServer,
        Self::InetHttpServer,
        Self::Supervisord,
        Self::RpcInterface,
        Self::Supervisorctl,
        Self::CtlPlugin,
        Self::Program,
        Self::FcgiProgram,
        Self::EventListener,
        Self::Group,
        Self::Include,
        Self::Default,
        Self::Linchpin,
        Self::Setting,
        Self::Preflight,
        Self::CaRoots,
        Self::Certificate,
        Self::Template,
    ];

    /// The kind that a section name means; none for a section that nothing reads.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let prefixes = [
            ("program:", Self::Program),
            ("fcgi-program:", Self::FcgiProgram),
            ("eventlistener:", Self::EventListener),
            ("group:", Self::Group),
            ("rpcinterface:", Self::RpcInterface),
            ("ctlplugin:", Self::CtlPlugin),
            ("setting:", Self::Setting),
            ("certificate:", Self::Certificate),
            ("template:", Self::Template),
            ("preflight:", Self::Preflight),
            ("unix_http_server", Self::UnixHttpServer),
            ("inet_http_server", Self::InetHttpServer),
        ];
        match name {
            "supervisord" => Some(Self::Supervisord),
            "supervisorctl" => Some(Self::Supervisorctl),
            "include" => Some(Self::Include),
            "DEFAULT" => Some(Self::Default),
            "linchpin" => Some(Self::Linchpin),
            "ca-roots" => Some(Self::CaRoots),
            _ => prefixes
                .into_iter()
                .find(|(prefix, _)| name.starts_with(prefix))
                .map(|(_, kind)| kind),
        }
    }

    /// The name as documentation writes it, without brackets.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Supervisord => "supervisord",
            Self::UnixHttpServer => "unix_http_server",
            Self::InetHttpServer => "inet_http_server",
            Self::Supervisorctl => "supervisorctl",
            Self::RpcInterface => "rpcinterface:x",
            Self::CtlPlugin => "ctlplugin:x",
            Self::Include => "include",
            Self::Program => "program:x",
            Self::FcgiProgram => "fcgi-program:x",
            Self::EventListener => "eventlistener:x",
            Self::Group => "group:x",
            Self::Default => "DEFAULT",
            Self::Linchpin => "linchpin",
            Self::Setting => "setting:x",
            Self::CaRoots => "ca-roots",
            Self::Certificate => "certificate:x",
            Self::Template => "template:x",
            Self::Preflight => "preflight:x",
        }
    }

    /// What such a section is for, in a sentence or two.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Supervisord => "The daemon itself. This section must exist, but may be empty.",
            Self::UnixHttpServer => {
                "A server on a unix socket, for supervisorctl and other clients on this machine. Sections whose names only begin so count too, so there can be several."
            }
            Self::InetHttpServer => {
                "A server on a TCP port. Whoever reaches it can start and stop programs and read their logs, so bind it to localhost or set a password. There can be several."
            }
            Self::Supervisorctl => {
                "How supervisorctl reaches the daemon; it must fit one of the servers. Included files are not looked at for this section."
            }
            Self::RpcInterface => {
                "A name space of remote methods. Without the one called `supervisor` neither supervisorctl nor other clients can do anything."
            }
            Self::CtlPlugin => "Further commands of supervisorctl.",
            Self::Include => {
                "Further files that belong to the configuration. Only the main file can have this section."
            }
            Self::Program => {
                "A program to run and to keep running; `x` is its name. Each program is a group of its own unless a `[group:x]` takes it."
            }
            Self::FcgiProgram => {
                "A program whose processes share a socket, which is their standard input."
            }
            Self::EventListener => {
                "A program that is told about events on its standard input and answers on its standard output. Its processes form a pool that shares the work."
            }
            Self::Group => "Programs that are started, stopped and changed together, as one group.",
            Self::Default => "Keys that count in every section which does not have them itself.",
            Self::Linchpin => {
                "What the daemon can do beyond Supervisor, which skips over this section."
            }
            Self::Setting => {
                "A setting of the product; `x` is the variable in which services find it. Supervisor skips over such sections."
            }
            Self::CaRoots => {
                "Certificates of authorities that the programs are to trust besides those of the system. `linchpin boot ca-roots` makes a bundle and a Java trust store of them; docs/certificates.md tells more."
            }
            Self::Certificate => {
                "A certificate for a server, with its key; `x` is its name. `linchpin boot certificates` checks what was provided, or makes one; docs/certificates.md tells more."
            }
            Self::Template => {
                "A file that is made of a template, or a folder of them, with the values of settings; `x` is its name. `linchpin boot templates` makes it; docs/templates.md tells more."
            }
            Self::Preflight => {
                "What must be true of the machine and of the data before anything is made and started; `x` is its name. `linchpin boot preflight` looks; docs/boot.md tells more."
            }
        }
    }

    /// Whether sections of this kind take any key and pass it on.
    #[must_use]
    pub fn takes_any_key(self) -> bool {
        match self {
            Self::RpcInterface | Self::CtlPlugin | Self::Default => true,
            Self::Supervisord
            | Self::UnixHttpServer
            | Self::InetHttpServer
            | Self::Supervisorctl
            | Self::Include
            | Self::Program
            | Self::FcgiProgram
            | Self::EventListener
            | Self::Group
            | Self::Linchpin
            | Self::Setting
            | Self::CaRoots
            | Self::Certificate
            | Self::Template
            | Self::Preflight => false,
        }
    }

    /// Whether Supervisor knows nothing of such sections.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Linchpin
                | Self::Setting
                | Self::CaRoots
                | Self::Certificate
                | Self::Template
                | Self::Preflight
        )
    }

    /// Whether sections of this kind describe processes.
    #[must_use]
    pub fn has_processes(self) -> bool {
        matches!(
            self,
            Self::Program | Self::FcgiProgram | Self::EventListener
        )
    }

    /// The options of such a section, its own first.
    pub fn options(self) -> impl Iterator<Item = &'static OptionSpec> {
        let own: &[&OptionSpec] = match self {
            Self::Supervisord => &SUPERVISORD,
            Self::UnixHttpServer => &UNIX_HTTP_SERVER,
            Self::InetHttpServer => &INET_HTTP_SERVER,
            Self::Supervisorctl => &SUPERVISORCTL,
            Self::RpcInterface => &RPC_INTERFACE,
            Self::CtlPlugin => &CTL_PLUGIN,
            Self::Include => &INCLUDE,
            Self::Program | Self::Default => &[],
            Self::Linchpin => &linchpin::LINCHPIN,
            Self::Setting => &setting::SETTING,
            Self::CaRoots => &boot::CA_ROOTS,
            Self::Certificate => &boot::CERTIFICATE,
            Self::Template => &template::TEMPLATE,
            Self::Preflight => &preflight::PREFLIGHT,
            Self::FcgiProgram => &FCGI_PROGRAM,
            Self::EventListener => &EVENT_LISTENER,
            Self::Group => &GROUP,
        };
        let shared: &[&OptionSpec] = if self.has_processes() { &PROGRAM } else { &[] };
        let service: &[&OptionSpec] = if self.has_processes() {
            &service::SERVICE
        } else {
            &[]
        };
        let is_program = matches!(self, Self::Program | Self::FcgiProgram);
        let of_programs: &[&OptionSpec] = if is_program {
            &service::OF_PROGRAMS_ALONE
        } else {
            &[]
        };
        own.iter()
            .chain(shared)
            .chain(of_programs)
            .chain(service)
            .copied()
    }

    /// An option of such a section by its name, or another name for it, in lower case.
    #[must_use]
    pub fn option(self, name: &str) -> Option<&'static OptionSpec> {
        self.options()
            .find(|option| option.name == name || option.aliases.contains(&name))
    }
}

/// Whose option it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Supervisor's.
    Supervisor,
    /// An addition of Linchpin, which Supervisor skips over.
    Linchpin,
}

/// Which names `%(name)s` may use in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameScope {
    /// `ENV_x` alone.
    Environment,
    /// `here` and `ENV_x`.
    Here,
    /// `here`, `host_node_name` and `ENV_x`.
    Host,
    /// `here`, `program_name` and `ENV_x`.
    Socket,
    /// Everything about a program, but not about one of its processes.
    Program,
    /// Everything about a process, without the names of its own environment.
    ProcessOnly,
    /// Everything about a process, and the names of its own environment.
    Process,
}

impl NameScope {
    /// The names, for documentation.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Environment => &["ENV_x"],
            Self::Here => &["here", "ENV_x"],
            Self::Host => &["here", "host_node_name", "ENV_x"],
            Self::Socket => &["here", "program_name", "ENV_x"],
            Self::Program => &[
                "here",
                "program_name",
                "group_name",
                "host_node_name",
                "ENV_x",
            ],
            Self::ProcessOnly | Self::Process => &[
                "here",
                "program_name",
                "group_name",
                "host_node_name",
                "process_num",
                "numprocs",
                "ENV_x",
            ],
        }
    }
}

/// What an option is like.
#[derive(Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// The key.
    pub name: &'static str,
    /// Other keys that mean the same.
    pub aliases: &'static [&'static str],
    /// What its value must be.
    pub kind: ValueKind,
    /// The value that stands where nothing is written, in the language of the file.
    pub default: Option<&'static str>,
    /// What happens where nothing is written and there is no such value.
    pub default_note: &'static str,
    /// It must be written.
    pub is_required: bool,
    /// Names that its value may use.
    pub scope: NameScope,
    /// First version of Supervisor (or of Linchpin, for options of ours) that has it.
    pub since: &'static str,
    /// Whose it is.
    pub origin: Origin,
    /// One or two sentences.
    pub help: &'static str,
    /// Value in the sample file.
    pub sample: &'static str,
    /// It stands in the sample file without a comment sign.
    pub is_active_in_sample: bool,
}

impl OptionSpec {
    const fn new(
        name: &'static str,
        kind: ValueKind,
        scope: NameScope,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            aliases: &[],
            kind,
            default: None,
            default_note: "nothing",
            is_required: false,
            scope,
            since: "3.0",
            origin: Origin::Supervisor,
            help,
            sample: "",
            is_active_in_sample: false,
        }
    }

    /// An option that Supervisor does not have.
    const fn ours(
        name: &'static str,
        kind: ValueKind,
        scope: NameScope,
        help: &'static str,
    ) -> Self {
        let mut option = Self::new(name, kind, scope, help);
        option.origin = Origin::Linchpin;
        option.since = "0.1";
        option
    }

    const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self.sample = default;
        self
    }

    const fn default_note(mut self, note: &'static str) -> Self {
        self.default_note = note;
        self
    }

    const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    const fn since(mut self, since: &'static str) -> Self {
        self.since = since;
        self
    }

    const fn sample(mut self, sample: &'static str) -> Self {
        self.sample = sample;
        self
    }

    const fn active_sample(mut self, sample: &'static str) -> Self {
        self.is_active_in_sample = true;
        self.sample = sample;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_as_many_options_as_the_original() {
        for (kind, count) in [
            (SectionKind::Supervisord, 17),
            (SectionKind::UnixHttpServer, 5),
            (SectionKind::InetHttpServer, 3),
            (SectionKind::Supervisorctl, 5),
            (SectionKind::Program, 32),
            (SectionKind::FcgiProgram, 36),
            (SectionKind::EventListener, 35),
            (SectionKind::Group, 2),
            (SectionKind::Include, 1),
        ] {
            let of_supervisor = kind
                .options()
                .filter(|option| option.origin == Origin::Supervisor);
            assert_eq!(of_supervisor.count(), count, "{}", kind.title());
        }
    }

    #[test]
    fn names_are_unique_in_a_section_and_every_option_is_described() {
        for kind in SectionKind::ALL {
            let mut names: Vec<&str> = kind
                .options()
                .flat_map(|option| [&[option.name], option.aliases].concat())
                .collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", kind.title());
            for option in kind.options() {
                assert!(option.help.ends_with('.'), "{}", option.name);
                assert_eq!(option.name, option.name.to_lowercase());
                assert!(!option.sample.is_empty(), "{}", option.name);
            }
        }
    }

    #[test]
    fn sections_are_known_by_their_names() {
        for (name, kind) in [
            ("supervisord", Some(SectionKind::Supervisord)),
            ("Supervisord", None),
            ("unix_http_serverfoo", Some(SectionKind::UnixHttpServer)),
            ("inet_http_server:b", Some(SectionKind::InetHttpServer)),
            ("program:", Some(SectionKind::Program)),
            ("programs:a", None),
            ("ca-roots", Some(SectionKind::CaRoots)),
            ("certificate:main", Some(SectionKind::Certificate)),
            ("template:caddy", Some(SectionKind::Template)),
            ("preflight:cpu", Some(SectionKind::Preflight)),
            ("include:x", None),
        ] {
            assert_eq!(SectionKind::of(name), kind, "{name}");
        }
    }
}

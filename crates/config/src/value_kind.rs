//! What values an option takes, in words for people.

use std::fmt;

use linchpin_python::signals::known_names;

use crate::value::LOG_LEVELS;

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// Text that is split into words like a POSIX shell does, at each start.
    Command,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// A number of bytes with an optional suffix.
    ByteSize,
    /// A number in base 8.
    Octal,
    /// A level of the daemon's log.
    LogLevel,
    /// A signal by name or number.
    Signal,
    /// A list of exit statuses.
    ExitCodes,
    /// Yes, no or `unexpected`.
    AutoRestart,
    /// A log file of a process.
    ChildLogFile,
    /// The daemon's log file.
    MainLogFile,
    /// A path whose directory exists.
    Path,
    /// A directory that exists.
    Directory,
    /// A path that nothing is checked about.
    UncheckedPath,
    /// A user by name or id.
    User,
    /// A user, and after a colon a group.
    UserAndGroup,
    /// A port with an optional address.
    InetAddress,
    /// A name of a process.
    Name,
    /// A list of names.
    Names,
    /// A list of event types.
    EventTypes,
    /// `KEY=value` pairs.
    KeyValues,
    /// File name patterns.
    FilePatterns,
    /// Where a server is.
    Url,
    /// Where a FastCGI socket is.
    FastCgiSocket,
    /// `module:function` of Python.
    Factory,
    /// A length of time.
    Duration,
    /// A whole number from 0.
    Count,
    /// A part of one.
    Fraction,
    /// Exit statuses and signals.
    Ends,
    /// Questions to a service, one in each line.
    Probes,
    /// What a service waits for.
    Dependencies,
    /// What follows from a dependency that gave up.
    DependencyFailed,
    /// What follows from a dependency that is gone.
    DependencyLost,
    /// How much the whole depends on a service.
    Importance,
    /// What the end of a service means for the daemon.
    OnEnd,
    /// What follows when a step of the boot cannot be done.
    OnFailure,
    /// A service of the file.
    Service,
    /// An expression that is true or false.
    Condition,
    /// What the value of a setting must be.
    SettingType,
    /// A regular expression.
    Pattern,
    /// Characters and ranges of them.
    Alphabet,
    /// How random bytes are written down.
    Encoding,
    /// Names and addresses of a server.
    HostNames,
    /// Variables through which programs learn what to trust.
    TrustVariables,
    /// A file of certificates, a search for one, or none.
    SystemBundle,
    /// What becomes of services when a file of theirs has changed.
    OnChange,
    /// Numbers of bytes.
    ByteSizes,
    /// Paths, one in each line.
    Paths,
    /// Paths, each with a number of bytes.
    PathsWithSize,
    /// Paths, each with a user and perhaps a group.
    PathsWithOwner,
    /// Paths, each with words.
    PathsWithWords,
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Command => "command line",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::ByteSize => "byte size",
            Self::Octal => "octal",
            Self::LogLevel => "log level",
            Self::Signal => "signal",
            Self::ExitCodes => "exit codes",
            Self::AutoRestart => "boolean or `unexpected`",
            Self::ChildLogFile | Self::MainLogFile => "log file",
            Self::Path | Self::UncheckedPath => "path",
            Self::Directory => "directory",
            Self::User => "user",
            Self::UserAndGroup => "user[:group]",
            Self::InetAddress => "[address:]port",
            Self::Name => "name",
            Self::Names => "names",
            Self::EventTypes => "event types",
            Self::KeyValues => "KEY=\"value\" pairs",
            Self::FilePatterns => "file patterns",
            Self::Url => "URL",
            Self::FastCgiSocket => "socket",
            Self::Factory => "module:function",
            Self::Duration => "duration",
            Self::Count => "number",
            Self::Fraction => "fraction",
            Self::Ends => "exit codes and signals",
            Self::Probes => "probes",
            Self::Dependencies => "dependencies",
            Self::DependencyFailed
            | Self::DependencyLost
            | Self::Importance
            | Self::OnEnd
            | Self::OnFailure => "word",
            Self::Service => "service",
            Self::Condition => "condition",
            Self::SettingType | Self::Encoding => "word",
            Self::Pattern => "regular expression",
            Self::Alphabet => "characters",
            Self::HostNames => "host names",
            Self::TrustVariables => "variables",
            Self::SystemBundle => "path or word",
            Self::OnChange => "word",
            Self::ByteSizes => "byte sizes",
            Self::Paths => "paths",
            Self::PathsWithSize => "paths and byte sizes",
            Self::PathsWithOwner => "paths and user[:group]",
            Self::PathsWithWords => "paths and words",
        })
    }
}

impl ValueKind {
    /// Whether a value is refused only for lack of a directory.
    pub(crate) fn is_about_directories(self) -> bool {
        matches!(
            self,
            Self::Directory | Self::Path | Self::MainLogFile | Self::ChildLogFile
        )
    }

    /// Whether a value is refused only for lack of an account.
    pub(crate) fn is_about_accounts(self) -> bool {
        matches!(self, Self::User | Self::UserAndGroup)
    }

    /// The words that can be written, for kinds that have a fixed list of them.
    pub(crate) fn words(self) -> Vec<&'static str> {
        if self == Self::Signal {
            let mut names: Vec<&'static str> = known_names()
                .filter(|name| !name.starts_with('_'))
                .collect();
            names.sort_unstable();
            names
        } else if self == Self::LogLevel {
            LOG_LEVELS.iter().map(|(name, _)| *name).collect()
        } else if self == Self::Boolean {
            vec!["true", "false"]
        } else if self == Self::AutoRestart {
            vec!["true", "false", "unexpected"]
        } else if self == Self::DependencyFailed {
            vec!["wait", "fail"]
        } else if self == Self::DependencyLost {
            vec!["keep", "restart", "stop"]
        } else if self == Self::Importance {
            vec!["essential", "normal", "optional"]
        } else if self == Self::OnEnd {
            vec!["ignore", "shutdown"]
        } else if self == Self::OnFailure {
            vec!["fatal", "warn", "skip"]
        } else if self == Self::SettingType {
            crate::settings::TYPES.to_vec()
        } else if self == Self::Encoding {
            vec!["text", "hex", "base64", "base64url"]
        } else {
            Vec::new()
        }
    }

    /// What is accepted, as the end of a sentence.
    #[must_use]
    pub fn accepts(self) -> &'static str {
        match self {
            Self::Text => "any text",
            Self::Command => {
                "a program and its arguments, with quotes and backslashes as in a shell"
            }
            Self::Boolean => "`true`, `yes`, `on`, `1`, `false`, `no`, `off` or `0`, in any case",
            Self::Integer => "a whole number, such as `10` or `-1`",
            Self::ByteSize => "a whole number of bytes, or one with `KB`, `MB` or `GB` behind it",
            Self::Octal => "an octal number, such as `022`",
            Self::LogLevel => {
                "one of `critical`, `error`, `warn`, `info`, `debug`, `trace`, `blather`"
            }
            Self::Signal => "a signal by name (`TERM`, `SIGTERM`) or number",
            Self::ExitCodes => "exit statuses from 0 to 255 with commas between them",
            Self::AutoRestart => "`true`, `false` or `unexpected`",
            Self::ChildLogFile => "a path in a directory that exists, `AUTO`, `NONE` (or `OFF`)",
            Self::MainLogFile => "a path in a directory that exists, or `syslog`",
            Self::Path => "a path in a directory that exists",
            Self::Directory => "a directory that exists",
            Self::UncheckedPath => "a path",
            Self::User => "a user of this machine, by name or numeric id",
            Self::UserAndGroup => "`user` or `user:group` of this machine, by name or numeric id",
            Self::InetAddress => {
                "a port from 1 to 65535, alone or behind an IPv4 address, a host name or `*` and a colon"
            }
            Self::Name => "a name without blanks, colons and slashes",
            Self::Names => "names with commas between them",
            Self::EventTypes => "event types with commas between them",
            Self::KeyValues => "`KEY=\"value\"` pairs with commas between them",
            Self::FilePatterns => {
                "file names or patterns (`*`, `?`, `[…]`) with blanks between them"
            }
            Self::Url => "`http://host:port` or `unix:///path`",
            Self::FastCgiSocket => "`tcp://host:port` or `unix:///absolute/path`",
            Self::Factory => "`module:function`",
            Self::Duration => {
                "a number with `ms`, `s`, `m` or `h` behind it, such as `500ms` or `1.5h`; alone it means seconds"
            }
            Self::Count => "a whole number from 0",
            Self::Fraction => "a number from 0 to 1, such as `0.1`",
            Self::Ends => {
                "exit statuses from 0 to 255 and names of signals (`SIGILL`, `ILL`) with commas between them"
            }
            Self::Probes => {
                "one probe in each line: `tcp://host:port`, `unix:///path`, `http://host:port/path`, `exec:command`, `log:regex`, `file:/path`, `notify` or `fd:3`"
            }
            Self::Dependencies => {
                "names with commas between them, each perhaps followed by `started`, `ready` or `completed`"
            }
            Self::DependencyFailed => "`wait` or `fail`",
            Self::DependencyLost => "`keep`, `restart` or `stop`",
            Self::Importance => "`essential`, `normal` or `optional`",
            Self::OnEnd => "`ignore` or `shutdown`",
            Self::OnFailure => "`fatal`, `warn` or `skip`",
            Self::Service => "the name of a process, or `group:process`",
            Self::Condition => {
                "a condition that is true or false, such as `is_local(REDIS_URL)` or `on(WITH_REDIS)`"
            }
            Self::SettingType => {
                "`string`, `secret`, `bool`, `integer`, `port`, `url`, `email`, `duration`, `enum` or `path`"
            }
            Self::Pattern => "a regular expression",
            Self::Alphabet => {
                "at least two visible ASCII characters; `a-z` is a range, and a `-` of its own stands at the end"
            }
            Self::Encoding => "`text`, `hex`, `base64` or `base64url`",
            Self::HostNames => {
                "names such as `example.org`, `*.example.org` or `127.0.0.1` with commas between them, without scheme, port and path"
            }
            Self::TrustVariables => {
                "`all`, `none`, or names out of `SSL_CERT_FILE`, `CURL_CA_BUNDLE`, `GIT_SSL_CAINFO`, `REQUESTS_CA_BUNDLE`, `PIP_CERT`, `NODE_EXTRA_CA_CERTS` and `JAVA_TOOL_OPTIONS` with commas between them"
            }
            Self::SystemBundle => "the path of a file, `search` or `none`",
            Self::OnChange => "`reload`, `restart` or `none`",
            Self::ByteSizes => {
                "numbers of bytes with commas between them, each perhaps with `KB`, `MB` or `GB` behind it"
            }
            Self::Paths => "a path in each line",
            Self::PathsWithSize => {
                "in each line a path, a blank and a number of bytes, such as `/data 2GB`"
            }
            Self::PathsWithOwner => {
                "in each line a path, a blank and a `user` or `user:group` of this machine"
            }
            Self::PathsWithWords => {
                "in each line the path of a file and words with blanks between them"
            }
        }
    }
}

//! The configuration language: text, sections with spans, typed options, the resolved configuration.
//!
//! Everything starts at [`load()`], which turns a file into a [`Config`] with the help of a [`World`].
#![forbid(unsafe_code)]

mod after_boot;
mod boot;
mod boot_options;
mod check;
mod client;
mod command_line;
mod compat;
mod control;
mod daemon_section;
mod diagnostic;
mod difference;
mod document;
mod entry_point;
mod event_type;
mod expansion;
mod expression;
mod fastcgi;
mod file_pattern;
mod findings;
mod getopt;
mod groups;
mod key_value_list;
mod load;
#[cfg(test)]
mod load_tests;
mod model;
mod names;
mod options;
#[cfg(test)]
mod options_tests;
#[cfg(test)]
mod oracle_tests;
mod paths;
mod plugins;
mod processes;
mod program_options;
mod reading;
mod reference;
mod render;
mod sample;
mod search_path;
mod section_reader;
mod servers;
mod service;
mod service_options;
mod settings;
mod single_command;
mod source;
mod suggestion;
#[cfg(test)]
mod testing;
mod usage;
mod value;
mod value_kind;
mod world;

pub use boot::*;
pub use boot_options::{LoadedBoot, load_boot};
pub use check::{CheckReport, check};
pub use client::{DaemonPlaces, Endpoint, FIRST_PROCESS_SOCKET, find_daemon};
pub use command_line::{
    DAEMON_OPTIONS, DaemonCommand, DaemonOverrides, parse_supervisord_args, supervisord_help,
};

pub use compat::{BuiltIn, CompatReport, check_compat};
pub use control::{
    CONTROL_OPTIONS, ControlCommand, ControlRequest, load_supervisorctl, parse_supervisorctl_args,
    supervisorctl_help,
};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use difference::{ActiveGroup, Difference, diff, diff_active};
pub use document::{Document, Entry, Section, SyntaxProblem, SyntaxProblemKind, ValuePart};
pub use entry_point::EntryPoint;
pub use event_type::EventType;
pub use expression::regular_expression;
pub use getopt::CommandOption;
pub use load::{LeftOut, LoadFailure, LoadRequest, Loaded, load};
pub use model::*;
pub use options::{NameScope, OptionSpec, Origin, SectionKind};
pub use paths::absolute_path;
pub use processes::MOST_PROCESSES_OF_A_PROGRAM;
pub use program_options::{ProgramOptions, read_program};
pub use reading::Reading;
pub use reference::reference_page;
pub use render::{render, render_all, render_failure};
pub use sample::sample_configuration;
pub use search_path::{FoundFile, find_config_file, search_path};
pub use service::*;
pub use settings::{
    Encoding, Generate, Host, NameProblem, SettingConfig, SettingType, SettingsConfig,
    SettingsLoaded, Url, UrlProblem, Validation, check_name, load_settings,
};
pub use single_command::SingleCommand;
pub use source::{FileId, SourceFile, Span};
pub use suggestion::closest;
pub use usage::{USAGE_EXIT_STATUS, usage_error};
pub use value_kind::ValueKind;
pub use world::{Account, Machine, World};

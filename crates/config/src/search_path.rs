//! Where a configuration file is looked for when none is named.

use crate::paths::{directory_of, join};
use crate::world::World;

/// Outcome of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// The first of the places that exists.
    pub file: Option<String>,
    /// What the original prints on standard error before it searches.
    pub notice: Option<String>,
    /// What the original prints if there is none and one is needed.
    pub complaint: String,
}

/// The places, most important first. The first two are beside the directory of the program.
#[must_use]
pub fn search_path(program: &str) -> [String; 6] {
    let beside = directory_of(directory_of(program));
    [
        join(beside, "etc/supervisord.conf"),
        join(beside, "supervisord.conf"),
        "supervisord.conf".to_owned(),
        "etc/supervisord.conf".to_owned(),
        "/etc/supervisord.conf".to_owned(),
        "/etc/supervisor/supervisord.conf".to_owned(),
    ]
}

/// Searches the default places.
#[must_use]
pub fn find_config_file(world: &dyn World, program: &str) -> FoundFile {
    let places = search_path(program);
    let notice = (world.user_id() == 0).then(|| {
        "Supervisord is running as root and it is searching for its configuration file in default \
         locations (including its current working directory); you probably want to specify a \"-c\" \
         argument specifying an absolute path to a configuration file for improved security."
            .to_owned()
    });
    FoundFile {
        file: places.iter().find(|place| world.exists(place)).cloned(),
        notice,
        complaint: format!(
            "No config file found at default paths ({}); use the -c option to specify a config \
             file at a different path",
            places.join(", ")
        ),
    }
}

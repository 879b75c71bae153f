//! `enabled`: which services there are at all.
//!
//! What is switched off is read and checked like everything else, so that a mistake in it shows before it is switched on,
//! and then taken out. Whoever depends on it does not wait: it is elsewhere, or not needed.

use std::sync::Arc;

use super::own::{Mistake, OwnReader};
use crate::expansion::{Names as _, Value};
use crate::model::{GroupConfig, ProcessConfig, SwitchedOff};
use crate::options::OptionSpec;
use crate::service::{Dependency, LinchpinConfig};

/// The condition by which something is switched off.
pub(crate) fn condition_against(
    own: &mut OwnReader<'_, '_, '_>,
    option: &OptionSpec,
) -> Option<String> {
    let world = own.reader.world;
    let names = own.reader.names.in_scope(option.scope);
    let variable = |name: &str| match names.value(&format!("ENV_{name}"))? {
        Value::Text(text) => Some(text.to_owned()),
        Value::Number(number) => Some(number.to_string()),
    };
    own.if_written(option, |text| {
        let is_true = world.condition(text, &variable).map_err(|what| {
            Mistake::new(what).help(
                "write a condition that is true or false, such as `is_local(REDIS_URL)` or `on(WITH_REDIS)`",
            )
        })?;
        Ok((!is_true).then(|| text.to_owned()))
    })
    .flatten()
}

/// Takes out what is switched off.
pub(crate) fn take_out(
    groups: &mut Vec<Arc<GroupConfig>>,
    linchpin: Option<&mut LinchpinConfig>,
) -> Vec<SwitchedOff> {
    let mut off = Vec::new();
    for group in groups.iter_mut() {
        if group
            .processes
            .iter()
            .all(|process| against(process).is_none())
        {
            continue;
        }
        let group = Arc::make_mut(group);
        let name = group.name.clone();
        group.processes.retain(|process| {
            let Some(condition) = against(process) else {
                return true;
            };
            off.push(SwitchedOff {
                group: name.clone(),
                name: process.name.clone(),
                condition: condition.to_owned(),
            });
            false
        });
    }
    if off.is_empty() {
        return off;
    }
    // A listener pool or a group may be empty to begin with; those stay.
    let emptied = |group: &GroupConfig| {
        group.processes.is_empty() && off.iter().any(|each| each.group == group.name)
    };
    groups.retain(|group| !emptied(group));
    let is_there = |groups: &[Arc<GroupConfig>], needed: &Dependency| {
        groups.iter().any(|group| {
            group.name == needed.group
                && needed
                    .process
                    .as_ref()
                    .is_none_or(|name| group.processes.iter().any(|process| process.name == *name))
        })
    };
    let before = groups.clone();
    for group in groups.iter_mut() {
        let has_dependencies = |process: &Arc<ProcessConfig>| {
            let service = process.service.as_ref();
            service.is_some_and(|service| !service.dependencies.is_empty())
        };
        if !group.processes.iter().any(has_dependencies) {
            continue;
        }
        for process in &mut Arc::make_mut(group).processes {
            if let Some(service) = &mut Arc::make_mut(process).service {
                service
                    .dependencies
                    .retain(|needed| is_there(&before, needed));
            }
        }
    }
    if let Some(linchpin) = linchpin {
        let is_off = |name: &String| {
            off.iter()
                .any(|each| *name == format!("{}:{}", each.group, each.name))
        };
        if linchpin.exit_code_from.as_ref().is_some_and(is_off) {
            linchpin.exit_code_from = None;
        }
    }
    off
}

fn against(process: &ProcessConfig) -> Option<&str> {
    process.service.as_ref()?.condition_against.as_deref()
}

#[cfg(test)]
mod tests {
    use crate::load::{LoadRequest, Loaded, load};
    use crate::testing::TestWorld;

    fn read(text: &str) -> Result<Loaded, String> {
        let text = format!("[supervisord]\n{text}");
        let world = TestWorld::new(&[("/etc/supervisord.conf", text.as_str())]);
        let request = LoadRequest {
            file: Some("/etc/supervisord.conf".to_owned()),
            ..LoadRequest::default()
        };
        load(&world, &request).map_err(|failure| failure.original_text().to_owned())
    }

    fn names(loaded: &Loaded) -> Vec<String> {
        loaded
            .config
            .groups
            .iter()
            .flat_map(|group| {
                group
                    .processes
                    .iter()
                    .map(|process| format!("{}:{}", group.name, process.name))
            })
            .collect()
    }

    const TEXT: &str = "
[program:redis]
command=/bin/cat
enabled=%(ENV_HERE)s
environment=HERE=no
[program:web]
command=/bin/cat
depends_on=redis ready, pair ready, pair:0 ready
[program:pair]
command=/bin/cat
numprocs=2
process_name=%(process_num)d
enabled=SELF_%(process_num)d
environment=SELF_0=no,SELF_1=yes
[linchpin]
exit_code_from=redis
";

    #[test]
    fn what_is_switched_off_is_not_there_and_nobody_waits_for_it() {
        let loaded = read(TEXT).unwrap();
        assert_eq!(names(&loaded), ["pair:1", "web:web"]);
        let web = &loaded
            .config
            .groups
            .iter()
            .find(|group| group.name == "web")
            .unwrap()
            .processes[0];
        let needed: Vec<(&str, Option<&str>)> = web
            .service
            .as_ref()
            .unwrap()
            .dependencies
            .iter()
            .map(|needed| (needed.group.as_str(), needed.process.as_deref()))
            .collect();
        assert_eq!(needed, [("pair", None)]);
        assert_eq!(
            loaded.config.linchpin.as_ref().unwrap().exit_code_from,
            None
        );
        let off: Vec<String> = loaded
            .config
            .switched_off
            .iter()
            .map(|off| format!("{}:{} {}", off.group, off.name, off.condition))
            .collect();
        assert_eq!(off, ["pair:0 SELF_0", "redis:redis no"]);
    }

    #[test]
    fn a_condition_that_cannot_be_judged_is_a_mistake() {
        let told = read("[program:x]\ncommand=/bin/cat\nenabled=perhaps\n").unwrap_err();
        assert!(told.contains("enabled"), "{told}");
        let ignored =
            read("[linchpin]\nextensions=off\n[program:x]\ncommand=/bin/cat\nenabled=perhaps\n");
        assert_eq!(names(&ignored.unwrap()), ["x:x"]);
    }
}

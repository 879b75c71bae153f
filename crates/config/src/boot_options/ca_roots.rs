//! Reads `[ca-roots]`.

use super::policy::{off, policy};
use super::{Found, lacks_directory};
use crate::boot::{CaRootsConfig, SystemBundle, TRUST_VARIABLES};
use crate::findings::Statement;
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::boot as options;
use crate::service::LinchpinConfig;
use crate::service_options::{Mistake, OwnReader, boolean, file};
use crate::suggestion::closest;
use crate::world::World;

pub(super) fn ca_roots(
    context: Context<'_>,
    environment: &EnvironmentNames,
    linchpin: Option<&LinchpinConfig>,
    found: &mut Found<'_>,
) -> Option<CaRootsConfig> {
    let section = context.document.section("ca-roots")?;
    let mut reader = context.reader(section, environment, found.findings);
    let mut own = OwnReader {
        reader: &mut reader,
    };
    let world = context.world;
    let run = linchpin.and_then(|it| it.run_directory.as_ref().or(it.state_directory.as_ref()));
    if run.is_none() {
        lacks_directory(&mut own, "run_directory", "what it makes");
    }
    let directory = own.if_written(&options::ROOTS_DIRECTORY, |text| Ok(file(world, text)));
    let is_empty = directory.as_ref().is_some_and(Option::is_none);
    if is_empty || !own.is_written(&options::ROOTS_DIRECTORY) {
        let span = own.reader.span(&options::ROOTS_DIRECTORY);
        let text = "[ca-roots] does not say where the certificates are";
        let statement = Statement::ours(text).help("write `directory=/path/of/a/folder`");
        let document = own.reader.document;
        own.reader.findings.own_problem(document, span, statement);
    }
    let system_bundle = own.value(&options::SYSTEM_BUNDLE, |text| {
        Ok(system_bundle(world, text))
    });
    let java_trust_store = own.value(&options::JAVA_TRUST_STORE, boolean);
    let variables = own.value(&options::TRUST_VARIABLES, variables);
    let policy = policy(
        &mut own,
        &options::ROOTS_ON_FAILURE,
        &options::ROOTS_SERVICES,
    );
    let off = off(&mut own);
    let config = CaRootsConfig {
        directory: directory.flatten()?,
        output: format!("{}/ca-roots", run?),
        system_bundle: system_bundle.unwrap_or(SystemBundle::Search),
        java_trust_store: java_trust_store.unwrap_or(true),
        variables: variables.unwrap_or_default(),
        policy,
    };
    found.unless_off(&section.name, off, config)
}

fn system_bundle(world: &dyn World, text: &str) -> SystemBundle {
    match text.trim() {
        "" | "search" => SystemBundle::Search,
        "none" => SystemBundle::None,
        path => file(world, path).map_or(SystemBundle::Search, SystemBundle::File),
    }
}

/// Names of variables, in the order of the table.
fn variables(text: &str) -> Result<Vec<String>, Mistake> {
    let mut wanted = Vec::new();
    let mut offset = 0;
    for item in text.split([',', '\n']) {
        let word = item.trim();
        let start = offset + (item.len() - item.trim_start().len());
        offset += item.len() + 1;
        match word {
            "" | "none" => {}
            "all" => wanted.extend(TRUST_VARIABLES),
            _ if TRUST_VARIABLES.contains(&word) => wanted.push(word),
            _ => {
                let mistake = Mistake::new(format!("`{word}` is no variable that can be set here"))
                    .at(start..start + word.len());
                return Err(match closest(word, TRUST_VARIABLES) {
                    Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
                    None => mistake,
                });
            }
        }
    }
    Ok(TRUST_VARIABLES
        .into_iter()
        .filter(|name| wanted.contains(name))
        .map(str::to_owned)
        .collect())
}

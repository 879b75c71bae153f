//! Reads `[preflight:x]`.

use super::policy::{names, off, policy};
use super::{Found, name};
use crate::boot::PreflightConfig;
use crate::document::Section;
use crate::findings::Statement;
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::{SectionKind, preflight as options};
use crate::service_options::{Mistake, OwnReader, bytes, command, file, some_duration};
use crate::value;
use crate::world::World;

/// Most sections of this kind.
const MOST_PREFLIGHTS: usize = 100;

pub(super) fn preflights(
    context: Context<'_>,
    environment: &EnvironmentNames,
    found: &mut Found<'_>,
) -> Vec<PreflightConfig> {
    let mut preflights = Vec::new();
    let sections = context.document.sections().iter();
    let sections =
        sections.filter(|section| SectionKind::of(&section.name) == Some(SectionKind::Preflight));
    for (count, section) in sections.enumerate() {
        let mut reader = context.reader(section, environment, found.findings);
        let mut own = OwnReader {
            reader: &mut reader,
        };
        if count >= MOST_PREFLIGHTS {
            let message = format!("these are more than {MOST_PREFLIGHTS} sections of this kind");
            let help = "let one section look at several things";
            own.section_problem(Statement::ours(message).help(help));
            break;
        }
        let preflight = preflight(&mut own, section);
        let off = off(&mut own);
        preflights.extend(preflight.and_then(|it| found.unless_off(&section.name, off, it)));
    }
    preflights.sort_by(|a: &PreflightConfig, b| a.name.cmp(&b.name));
    preflights
}

fn preflight(own: &mut OwnReader<'_, '_, '_>, section: &Section) -> Option<PreflightConfig> {
    let world = own.reader.world;
    let name = name(own, "preflight", "processor");
    let processor = own.if_written(&options::PROCESSOR, |text| Ok(names(text)));
    let page_sizes = own.if_written(&options::PAGE_SIZE, |text| {
        names(text).iter().map(|size| bytes(size)).collect()
    });
    let free_space = own.lines(&options::FREE_SPACE, |line| {
        let (path, size) = path_and_more(world, &line.text, "a size")?;
        Ok((path, bytes(size)?))
    });
    let writable = own.lines(&options::WRITABLE, |line| path(world, &line.text));
    let owned_by = own.lines(&options::OWNED_BY, |line| {
        let (path, who) = path_and_more(world, &line.text, "a user")?;
        let owner = value::user_and_group(world, who)
            .map_err(|_| Mistake::new(format!("there is no such user or group here: `{who}`")))?;
        Ok((path, owner))
    });
    let data_versions = own.lines(&options::DATA_VERSION, |line| {
        let mut words = line.text.split_whitespace();
        let path = path(world, words.next().unwrap_or_default())?;
        let versions: Vec<String> = words.map(str::to_owned).collect();
        if versions.is_empty() {
            return Err(Mistake::new("a version is missing behind the path"));
        }
        Ok((path, versions))
    });
    let command = own.if_written(&options::COMMAND, command).flatten();
    let timeout = own.value(&options::TIMEOUT, some_duration);
    let remedy = own.if_written(&options::REMEDY, |text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(words.join(" "))
    });
    let looks_at_something = [
        &options::PROCESSOR,
        &options::PAGE_SIZE,
        &options::FREE_SPACE,
        &options::WRITABLE,
        &options::OWNED_BY,
        &options::DATA_VERSION,
        &options::COMMAND,
    ];
    if !looks_at_something
        .into_iter()
        .any(|option| own.is_written(option))
    {
        let text = format!("[{}] does not say what to look at", section.name);
        let help = "write `processor=`, `page_size=`, `free_space=`, `writable=`, `owned_by=`, `data_version=` or `command=`";
        let (document, span) = (own.reader.document, own.reader.header());
        let statement = Statement::ours(text).help(help);
        own.reader.findings.own_problem(document, span, statement);
    }
    let policy = policy(own, &options::ON_FAILURE, &options::SERVICES);
    Some(PreflightConfig {
        name: name?,
        processor: processor.unwrap_or_default(),
        page_sizes: page_sizes.unwrap_or_default(),
        free_space,
        writable,
        owned_by,
        data_versions,
        command,
        timeout: timeout?,
        remedy: remedy.filter(|text| !text.is_empty()),
        policy,
    })
}

fn path(world: &dyn World, text: &str) -> Result<String, Mistake> {
    file(world, text).ok_or_else(|| Mistake::new("a path is missing"))
}

/// A path, which may have blanks in it, and the last word.
fn path_and_more<'a>(
    world: &dyn World,
    line: &'a str,
    what: &str,
) -> Result<(String, &'a str), Mistake> {
    match line.trim().rsplit_once([' ', '\t']) {
        Some((first, last)) => Ok((path(world, first)?, last)),
        None => Err(Mistake::new(format!("{what} is missing behind the path"))),
    }
}

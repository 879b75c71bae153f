//! Reads `[template:x]`.

use std::collections::BTreeMap;

use super::policy::{off, policy};
use super::{Found, lacks_directory, name};
use crate::boot::{NamePatterns, OnChange, TemplateConfig};
use crate::document::Section;
use crate::findings::Statement;
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::{OptionSpec, SectionKind, template as options};
use crate::service::LinchpinConfig;
use crate::service_options::{Mistake, OwnReader, command, file, some_duration, word};
use crate::value;

/// Most sections of this kind.
const MOST_TEMPLATES: usize = 500;

/// What `on_change` can be.
const CHANGES: [(&str, OnChange); 3] = [
    ("reload", OnChange::Reload),
    ("restart", OnChange::Restart),
    ("none", OnChange::Nothing),
];

pub(super) fn templates(
    context: Context<'_>,
    environment: &EnvironmentNames,
    linchpin: Option<&LinchpinConfig>,
    found: &mut Found<'_>,
) -> Vec<TemplateConfig> {
    let mut templates: Vec<TemplateConfig> = Vec::new();
    // Who makes what, to tell who else wants to.
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let sections = context.document.sections().iter();
    let sections =
        sections.filter(|section| SectionKind::of(&section.name) == Some(SectionKind::Template));
    for (count, section) in sections.enumerate() {
        let mut reader = context.reader(section, environment, found.findings);
        let mut own = OwnReader {
            reader: &mut reader,
        };
        if count >= MOST_TEMPLATES {
            let message = format!("these are more than {MOST_TEMPLATES} templates");
            let help = "make a folder of templates one section";
            own.section_problem(Statement::ours(message).help(help));
            break;
        }
        let template = template(&mut own, section, linchpin);
        let off = off(&mut own);
        let Some(template) = template.and_then(|it| found.unless_off(&section.name, off, it))
        else {
            continue;
        };
        let (owner, target) = (template.name.clone(), template.target.clone());
        match owners.get(&target) {
            Some(other) => {
                let message = format!("[template:{other}] makes this already");
                let mut reader = context.reader(section, environment, found.findings);
                let mut own = OwnReader {
                    reader: &mut reader,
                };
                own.option_problem(
                    &options::TARGET,
                    Statement::ours(message).help("write another path"),
                );
            }
            None => {
                owners.insert(target, owner);
                templates.push(template);
            }
        }
    }
    templates.sort_by(|a, b| a.name.cmp(&b.name));
    templates
}

fn template(
    own: &mut OwnReader<'_, '_, '_>,
    section: &Section,
    linchpin: Option<&LinchpinConfig>,
) -> Option<TemplateConfig> {
    let world = own.reader.world;
    let name = name(own, "template", "caddy");
    let directory =
        linchpin.and_then(|it| it.run_directory.as_ref().or(it.state_directory.as_ref()));
    if directory.is_none() {
        lacks_directory(own, "run_directory", "what was there before");
    }
    let source = path(own, section, &options::SOURCE);
    let target = path(own, section, &options::TARGET);
    if let (Some(source), Some(target)) = (&source, &target)
        && source == target
    {
        let text = "this is the template itself";
        own.option_problem(
            &options::TARGET,
            Statement::ours(text).help("write another path"),
        );
        return None;
    }
    let pattern = own.value(&options::PATTERN, |text| {
        Ok(NamePatterns(
            text.split_whitespace().collect::<Vec<_>>().join(" "),
        ))
    });
    let mode = own.value(&options::MODE, |text| match value::octal(text) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err(Mistake::new(format!("`{text}` is no mode of a file"))
            .help("write an octal number up to `777`, such as `0640`")),
    });
    let owner = own.if_written(&options::OWNER, |text| {
        let text = text.trim();
        value::user_and_group(world, text)
            .map_err(|_| Mistake::new(format!("there is no such user or group here: `{text}`")))
    });
    let validate = own.if_written(&options::VALIDATE, command).flatten();
    if let Some(command) = &validate
        && !command.contains("{file}")
    {
        let span = own.reader.span(&options::VALIDATE);
        if let Some(span) = span {
            let text = "this command is not told which file to look at, so it looks at what is there already";
            let statement =
                Statement::ours(text).help("write `{file}` where the path of the file belongs");
            own.remark(&options::VALIDATE, span, statement);
        }
    }
    let validate_timeout = own.value(&options::VALIDATE_TIMEOUT, some_duration);
    let on_change = own.value(&options::ON_CHANGE, |text| word(text, &CHANGES));
    let policy = policy(
        own,
        &options::TEMPLATE_ON_FAILURE,
        &options::TEMPLATE_SERVICES,
    );
    Some(TemplateConfig {
        kept: format!("{}/templates/{}", directory?, name.as_ref()?),
        name: name?,
        source: source?,
        target: target?,
        pattern: pattern?,
        mode: mode?,
        owner,
        validate,
        validate_timeout: validate_timeout?,
        on_change: on_change?,
        policy,
    })
}

/// A path that must be written.
fn path(
    own: &mut OwnReader<'_, '_, '_>,
    section: &Section,
    option: &'static OptionSpec,
) -> Option<String> {
    let world = own.reader.world;
    let path = own.if_written(option, |text| match file(world, text) {
        Some(path) if path.contains(|character: char| character.is_control()) => {
            Err(Mistake::new("a path in one line is wanted here"))
        }
        path => Ok(path),
    });
    if path == Some(None) || !own.is_written(option) {
        let text = format!("[{}] does not say its `{}`", section.name, option.name);
        let help = format!("write `{}={}`", option.name, option.sample);
        let span = own.reader.span(option);
        let document = own.reader.document;
        let statement = Statement::ours(text).help(help);
        own.reader.findings.own_problem(document, span, statement);
    }
    path.flatten()
}

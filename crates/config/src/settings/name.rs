//! Which names a setting may have.

/// Why a name cannot be that of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameProblem {
    /// It is no identifier.
    NotAName,
    /// It decides how programs are found, loaded or interpreted.
    Dangerous,
}

/// What decides which code runs: a file on a volume must not.
const DANGEROUS: [&str; 19] = [
    "PATH",
    "IFS",
    "ENV",
    "BASH_ENV",
    "BASHOPTS",
    "SHELLOPTS",
    "PS4",
    "PROMPT_COMMAND",
    "CDPATH",
    "GLOBIGNORE",
    "GCONV_PATH",
    "LOCPATH",
    "NODE_OPTIONS",
    "PERL5OPT",
    "PYTHONSTARTUP",
    "RUBYOPT",
    "HOSTALIASES",
    "RES_OPTIONS",
    "NLSPATH",
];

/// Beginnings of such names, of what this program itself gives to services, and of functions of bash.
const DANGEROUS_BEGINNINGS: [&str; 4] = ["LD_", "BASH_FUNC_", "SUPERVISOR_", "LINCHPIN_"];

/// Whether a setting can have a name.
///
/// # Errors
/// If it is no identifier, or one that would decide which code runs.
pub fn check_name(name: &str) -> Result<(), NameProblem> {
    if !is_identifier(name) {
        return Err(NameProblem::NotAName);
    }
    let is_dangerous = DANGEROUS.contains(&name)
        || DANGEROUS_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning));
    if is_dangerous {
        return Err(NameProblem::Dangerous);
    }
    Ok(())
}

/// Letters, digits and `_`, and no digit first.
fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

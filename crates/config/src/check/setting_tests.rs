//! Rules about settings: one case or more for each, and silence for a good file.

use super::tests::check_warnings;

/// A setting, what is written in it from line 7 on, and what is said.
fn of_setting(lines: &str, expected: &[(usize, &str)]) {
    check_warnings(
        &format!(
            "[program:web]\ncommand=/bin/web\n[linchpin]\nsettings_file=/data/s.env\n[setting:X]\n{lines}"
        ),
        expected,
    );
}

#[test]
fn a_good_setting_stays_silent() {
    of_setting(
        "type=integer\nmin=1\nmax=9\ndefault=3\nservices=web\nhelp=How many.\n[setting:KEY]\ntype=secret\ngenerate=true\ngenerate_length=13\n",
        &[],
    );
}

#[test]
fn what_is_switched_off_can_be_named_by_a_setting() {
    check_warnings(
        "[program:web]\ncommand=/bin/web\n[program:db]\ncommand=/bin/db\nenabled=false\n\
         [setting:X]\nservices=db, db:db, db:*, web\n",
        &[],
    );
}

#[test]
fn options_without_the_one_they_belong_to() {
    for (lines, what) in [
        ("min=1", "`min` decides nothing without `type=integer`"),
        (
            "schemes=http",
            "`schemes` decides nothing without `type=url`",
        ),
        ("choices=a", "`choices` decides nothing without `type=enum`"),
        (
            "validate_timeout=1s",
            "`validate_timeout` decides nothing without `validate`",
        ),
        (
            "generate_length=30",
            "`generate_length` decides nothing without `generate=true`",
        ),
        (
            "generate_alphabet=0-9",
            "`generate_alphabet` decides nothing without `generate=true`",
        ),
    ] {
        of_setting(&format!("{lines}\n"), &[(7, what)]);
    }
    of_setting(
        "generate_alphabet=0-9\ngenerate=true\ngenerate_encoding=hex\n",
        &[(
            7,
            "`generate_alphabet` decides nothing without `generate_encoding=text`",
        )],
    );
}

#[test]
fn settings_that_make_no_sense() {
    for (lines, what) in [
        (
            "default=geheim\ntype=secret\n",
            "a secret that stands in this file is known",
        ),
        (
            "together=mail\nrequired=true\n",
            "a setting that is required cannot be left out",
        ),
        (
            "default=x\ngenerate=true\n",
            "a default decides nothing where a value is generated",
        ),
        (
            "generate=true\ngenerate_length=8\n",
            "a value of 47 random bits can be guessed",
        ),
        ("services=wbe\n", "there is no service `wbe`"),
        ("typ=port\n", "nothing reads `typ` in [setting:X]"),
    ] {
        of_setting(lines, &[(7, what)]);
    }
}

#[test]
fn a_place_for_settings_that_are_not_there() {
    check_warnings(
        "[linchpin]\nsettings_file=/x\n",
        &[(3, "`settings_file` has nothing to keep")],
    );
    check_warnings(
        "[linchpin]\nsettings_history=3\n",
        &[(
            3,
            "`settings_history` decides nothing without `settings_file`",
        )],
    );
    check_warnings(
        "[settings:X]\ntype=port\n",
        &[(2, "nothing reads the section `[settings:X]`")],
    );
}

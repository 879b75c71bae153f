//! What a page is asked for: the fields of the query and of a posted form, read as Python reads them.

use super::super::percent;

/// The fields that the pages know. One that is empty counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) processname: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) limit: Option<String>,
    /// Shows that a posted form was on a page of ours.
    pub(crate) token: Option<String>,
}

impl Form {
    /// Of a query the first field of a name counts, of a posted form the last, and the form before the
    /// query.
    pub(crate) fn read(query: &str, posted: &str) -> Self {
        let mut form = Self::default();
        for (name, value) in fields(query) {
            if let Some(field) = form.field(&name) {
                field.get_or_insert(value);
            }
        }
        for (name, value) in fields(posted) {
            if let Some(field) = form.field(&name) {
                *field = Some(value);
            }
        }
        form
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "processname" => Some(&mut self.processname),
            "action" => Some(&mut self.action),
            "message" => Some(&mut self.message),
            "limit" => Some(&mut self.limit),
            "token" => Some(&mut self.token),
            _ => None,
        }
    }
}

fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| percent::decode(&text.replace('+', " "));
    text.split('&')
        .filter_map(|field| field.split_once('='))
        .filter(|(_, value)| !value.is_empty())
        .map(move |(name, value)| (decode(name), decode(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, posted: &str, processname: Option<&str>, action: Option<&str>) {
        let form = Form::read(query, posted);
        assert_eq!(
            (form.processname.as_deref(), form.action.as_deref()),
            (processname, action),
            "{query} {posted}"
        );
    }

    #[test]
    fn fields_are_read_like_the_original_reads_them() {
        check("", "", None, None);
        check(
            "processname=a%3Ab+c&action=stop",
            "",
            Some("a:b c"),
            Some("stop"),
        );
        check("processname=a&processname=b", "", Some("a"), None);
        check("processname=&action", "", None, None);
        check("processname=&processname=b", "", Some("b"), None);
        check("action=stop", "action=start&x=1", None, Some("start"));
        check("", "action=a&action=b", None, Some("b"));
        check("action=stop", "action=", None, Some("stop"));
        check("action=a=b", "", None, Some("a=b"));
        check("Action=stop;action=stop", "", None, None);
    }
}

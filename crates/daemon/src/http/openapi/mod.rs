//! The description of `/api/v1` as an OpenAPI document. It is made of the sources of the documents and of a table of
//! routes (`UPDATE_DOCS=1 cargo test -p linchpin-daemon openapi`), and a test fails when it differs from them.

#[cfg(test)]
mod routes;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod tests;

/// The document.
pub(super) const DESCRIPTION: &str = include_str!("../../../../../docs/openapi.json");

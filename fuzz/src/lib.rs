//! What the fuzz targets hold true. The same files are part of the tests of the crates that they are about, which
//! replay `seeds/`.
#![forbid(unsafe_code)]

pub mod config;
pub mod env_file;
pub mod listener;
pub mod machine;
pub mod rpc;

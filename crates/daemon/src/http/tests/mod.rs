//! The servers on real sockets, before a fake supervision.

mod descriptors;
mod fixture;
mod following;
mod fuzz_seeds;
mod limits;
mod original_clients;
mod speed;
mod transport;

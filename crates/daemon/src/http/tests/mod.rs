//! The servers on real sockets, before a fake supervision.

mod descriptors;
mod fixture;
mod following;
mod limits;
mod original_clients;
mod speed;
mod transport;

//! The whole product: the real binary between raw clients and recording servers.

mod at_once;
mod attacks;
mod audit;
mod batches;
mod children;
mod crash;
mod encrypted;
mod headers;
mod listening;
mod lists;
mod modern;
mod opening;
mod pins;
mod requests;
mod results;
mod rules;
mod scan;
mod seeds;
mod sessions;
mod setup;
mod sharing;
mod stop;
mod time_limits;
mod tokens;
mod watching;
mod windows;

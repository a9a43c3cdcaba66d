//! The core driven from outside: a virtual clock, scripted tasks, and what the history says afterwards.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod distributed;
mod failures;
mod pipelines;
mod replay;
mod validation;
mod world;

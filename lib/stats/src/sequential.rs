//! Looking every hour without crying wolf.
//!
//! A p-value that is looked at every hour goes below 5 % sooner or later, always. An *e-detector* may be looked at as
//! often as one likes: while nothing changes, its expected value after `t` hours is at most `t`, so that the chance of
//! any alarm within `T` hours is at most `T / A` for the threshold `A` (Shin, Ramdas and Rinaldo, *E-detectors*,
//! <https://arxiv.org/abs/2203.03532>). The Ville e-process beside it answers "has it ever changed": its chance of ever
//! reaching `1 / α` is at most `α` (<https://arxiv.org/abs/2210.01948>).
//!
//! [`share`] watches a share, [`mix`] the shares of several classes, [`score`] a number by its deciles, [`volume`] how
//! much comes in, [`hour_mean`] a share under no assumption but its mean. [`season`] knows what an hour of the week is
//! usually like, [`dispersion`] how much more than chance it varies, and [`replay`] plays the reference back to check
//! the promise and print what was kept of it.

pub mod alarm;
mod bank;
pub mod dispersion;
pub mod hour_mean;
pub mod mix;
pub mod replay;
pub mod score;
pub mod season;
pub mod share;
pub mod volume;

//! Statistics for drift that keeps its promises.
//!
//! Two columns go in, or one stream hour by hour; out comes a number with its interval, its p- or e-value and its `n`,
//! or [`NotComputable`] with the reason. Nothing here reads a file, a clock or a socket, nothing is random but by an
//! explicit seed, and no answer is ever NaN.
//!
//! - **Compare once**: [`drift`] is the right way, [`distance`] and [`hypothesis`] are the formulas, [`sketch`] is a
//!   reference of constant size. What Evidently and NannyML would have said is the crate `doxa-compat`.
//! - **Look every hour**: [`sequential`] keeps its promise although it is looked at all the time; [`multiplicity`]
//!   keeps it across hundreds of streams.
//! - **Report honestly**: [`shares`] corrects for what the model gets wrong, [`interval`] says how sure one may be.
//! - **Decide and explain**: [`decide`] promotes a model or does not, [`explain`] names what moved.

pub mod drift;

pub mod distance;
pub mod hypothesis;
pub mod text;

pub mod sequential;

pub mod multiplicity;

pub mod shares;

pub mod decide;
pub mod explain;

pub mod sketch;

pub mod error;
pub mod histogram;
pub mod interval;
pub mod result;
pub mod rng;
pub mod sample;
pub mod special;
pub mod vectors;

mod linalg;

pub use error::{NotComputable, Reason, Result};

//! What other tools would have said, digit for digit, their mistakes included.
//!
//! For moving over and for arguing, not for deciding: the right answers live in [`doxa_stats::drift`] and
//! [`doxa_stats::sequential`]. What a tool gets right is taken from `doxa_stats`; what it gets wrong is written here and
//! named where it stands. As there, nothing reads a file or a clock, and what cannot be computed is
//! [`doxa_stats::NotComputable`].
//!
//! - [`evidently`], [`evidently_text`] and [`evidently_embedding`] are Evidently 0.7;
//! - [`nannyml`] is NannyML's univariate drift.
//!
//! Some of it hangs on the draws and the rounding of numpy and scikit-learn, so their generator and their gradient
//! descent are here too.

pub mod evidently;
pub mod evidently_embedding;
pub mod evidently_text;
pub mod nannyml;

mod numpy_random;
mod sgd;
mod vendored_cvm;

#[cfg(test)]
mod tests;

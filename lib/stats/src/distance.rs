//! Distances between two distributions: pure formulas, no rows, no verdict.
//!
//! Those over categories or bins take shares; those over numbers take the two samples. What a distance is worth, given
//! the number of rows, is the business of [`crate::drift`].

pub mod energy;
pub mod hellinger;
pub mod jensen_shannon;
pub mod kullback_leibler;
pub mod l_infinity;
pub mod psi;
pub mod total_variation;
pub mod wasserstein;

//! Honest shares: what the machine counted, corrected for what the machine gets wrong.

pub mod calibration;
pub mod harmful;
pub mod isotonic;
pub mod label_shift;
pub mod performance;
pub mod prediction_powered;

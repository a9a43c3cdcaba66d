//! What moved, in which order, and in words.

pub mod causes;
pub mod mix_rate;
pub mod words;

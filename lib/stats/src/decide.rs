//! Deciding: whether a model may be promoted, and how far people and models agree.

pub mod agreement;
pub mod gate;
pub mod paired;

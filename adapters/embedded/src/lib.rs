//! The plugs for a machine of its own.

//! A reference of constant size: what an hourly check needs to know about a column, without reading it again.
//!
//! All sketches merge, are exact while small, and keep their version on disk.

pub mod distinct;
pub mod heavy;
pub mod profile;
pub mod quantiles;

/// A hash that is the same on every machine and in every release: FNV-1a, finished by splitmix's mixer, for FNV alone
/// leaves the high bits of short words idle.
pub(crate) fn stable_hash(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

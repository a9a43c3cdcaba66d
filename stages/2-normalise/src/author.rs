//! Who said it, as a pseudonym: the same author has the same one within an installation, and nobody else can tell who.

use doxa_ports::secrets::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key of an installation's pseudonyms. Whoever has it can test whether a handle belongs to a pseudonym.
#[derive(Clone)]
pub struct AuthorKey(Hmac<Sha256>);

impl AuthorKey {
    /// A key of any text; an installation makes 32 random bytes of it once.
    #[must_use]
    pub fn new(key: &Secret) -> Self {
        Self(Hmac::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length"))
    }

    /// The pseudonym of an author of a source: `HMAC-SHA256(key, source ‖ 0 ‖ handle)`, its first 80 bits.
    pub(crate) fn pseudonym(&self, source: &str, handle: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(source.as_bytes());
        mac.update(&[0]);
        mac.update(handle.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut name = String::with_capacity(22);
        name.push_str("a-");
        for byte in &digest[..10] {
            for digit in [byte >> 4, byte & 15] {
                name.push(char::from_digit(digit.into(), 16).expect("four bits are a digit"));
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_depends_on_the_key_the_source_and_the_handle() {
        let one = AuthorKey::new(&Secret::new("one"));
        let names = [
            one.pseudonym("reddit", "spez"),
            one.pseudonym("reddit", "spez2"),
            one.pseudonym("tiktok", "spez"),
            one.pseudonym("redditspez", ""),
            AuthorKey::new(&Secret::new("two")).pseudonym("reddit", "spez"),
        ];
        assert!(names.iter().all(|name| name.len() == 22 && name.starts_with("a-")), "{names:?}");
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        assert_eq!(one.pseudonym("reddit", "spez"), names[0]);
    }
}

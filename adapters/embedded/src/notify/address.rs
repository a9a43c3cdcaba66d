//! Which addresses a webhook may lead to.
//!
//! Whoever may set a webhook's address must not thereby reach what only this machine can: its own services, its network,
//! and above all the metadata service of a cloud, which hands out credentials. So a name is resolved once, every address
//! it has is looked at, and the connection is made to just these: nothing can change in between.
//!
//! What counts as public follows the [IANA registries of special-purpose addresses][iana].
//!
//! [iana]: https://www.iana.org/assignments/iana-ipv4-special-registry/

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Which addresses a webhook may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only public ones.
    Public,
    /// Those of this machine and of private networks too. Link-local ones, and with them every cloud's metadata service,
    /// stay out of reach: no webhook lives there.
    Private,
}

/// An address that a webhook may not lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It would be allowed with [`Reach::Private`].
    #[error(
        "{0} is an address of this machine or of a private network, which this webhook is not allowed to reach"
    )]
    Private(IpAddr),
    /// It is never allowed.
    #[error("{0} is no address that a webhook may ever reach")]
    Never(IpAddr),
}

/// Looks an address up. A parameter, so that tests can say what a name stands for.
pub(super) type Lookup = Arc<dyn Fn(String) -> LookedUp + Send + Sync>;
type LookedUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The addresses that the system's resolver knows.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            // The port is put in by whoever connects.
            Ok(tokio::net::lookup_host((name, 0)).await?.collect())
        })
    })
}

/// A resolver that gives out only what may be reached, or nothing at all.
pub(super) struct Guard {
    pub(super) reach: Reach,
    pub(super) lookup: Lookup,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach, (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = found.await?;
            // One forbidden address spoils the name: a name that is both public and private is a trap or a mistake.
            for address in &found {
                check(address.ip(), reach)?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Says whether a webhook may lead to this address.
pub(super) fn check(address: IpAddr, reach: Reach) -> Result<(), Forbidden> {
    let place = match address {
        IpAddr::V4(v4) => place_v4(v4),
        IpAddr::V6(v6) => place_v6(v6),
    };
    match (place, reach) {
        (Place::Public, _) | (Place::Private, Reach::Private) => Ok(()),
        (Place::Private, Reach::Public) => Err(Forbidden::Private(address)),
        (Place::Nowhere, _) => Err(Forbidden::Never(address)),
    }
}

enum Place {
    Public,
    Private,
    Nowhere,
}

fn place_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        // The metadata services of Alibaba and Oracle lie in blocks that are otherwise merely private or reserved.
        [100, 100, 100, 200] => Place::Nowhere,
        // This machine; the private networks; carriers' own networks.
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Place::Private,
        // "This network", multicast and all above it; link-local; protocol assignments and documentation; 6to4 relays;
        // benchmarks; documentation.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Place::Nowhere,
        _ => Place::Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    match address.segments() {
        // The metadata service of AWS lies in the block that is otherwise merely private.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => Place::Nowhere,
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Place::Private,
        // An IPv4 address behind a translator (RFC 6052) is as public as that address is.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            place_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Of the global block: protocol assignments (Teredo among them), documentation, 6to4.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => Place::Nowhere,
        [0x2000..=0x3fff, ..] => Place::Public,
        // Everything else, such as an IPv4 address in disguise (`::ffff:127.0.0.1`), link-local, multicast.
        _ => Place::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, check};

    #[test]
    fn only_what_is_public_is_reached_unless_the_private_is_allowed_too() {
        let public = "public";
        let private = "private";
        let never = "never";
        let rows = [
            ("8.8.8.8", public),
            ("172.15.255.255", public),
            ("172.32.0.0", public),
            ("100.63.255.255", public),
            ("100.128.0.0", public),
            ("192.0.1.1", public),
            ("223.255.255.255", public),
            ("2606:4700::1111", public),
            ("2001:200::1", public),
            ("64:ff9b::808:808", public),
            ("127.0.0.1", private),
            ("127.255.255.254", private),
            ("10.0.0.1", private),
            ("172.16.0.1", private),
            ("172.31.255.255", private),
            ("192.168.1.1", private),
            ("100.64.0.1", private),
            ("::1", private),
            ("fc00::1", private),
            ("fdff::1", private),
            ("64:ff9b::7f00:1", private),
            ("0.0.0.0", never),
            ("169.254.169.254", never),
            ("169.254.170.2", never),
            ("100.100.100.200", never),
            ("192.0.0.192", never),
            ("192.0.2.1", never),
            ("198.18.0.1", never),
            ("198.51.100.1", never),
            ("203.0.113.1", never),
            ("224.0.0.1", never),
            ("255.255.255.255", never),
            ("::", never),
            ("::127.0.0.1", never),
            ("::ffff:169.254.169.254", never),
            ("::ffff:127.0.0.1", never),
            ("::ffff:8.8.8.8", never),
            ("64:ff9b::a9fe:a9fe", never),
            ("64:ff9b:1::1", never),
            ("100::1", never),
            ("2001::1", never),
            ("2001:db8::1", never),
            ("2002:7f00:1::", never),
            ("3fff::1", never),
            ("fd00:ec2::254", never),
            ("fe80::1", never),
            ("fec0::1", never),
            ("ff02::1", never),
        ];
        for (address, wanted) in rows {
            let address = address.parse().unwrap();
            let got = match (check(address, Reach::Public), check(address, Reach::Private)) {
                (Ok(()), Ok(())) => public,
                (Err(_), Ok(())) => private,
                (Err(_), Err(_)) => never,
                (Ok(()), Err(_)) => "only public",
            };
            assert_eq!(got, wanted, "{address}");
        }
    }
}

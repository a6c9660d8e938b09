//! Addresses and blocks of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Doubtful;

/// A block of addresses in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    // The first address, as bits at the top of 128.
    bits: u128,
    length: u32,
    is_v4: bool,
}

impl Block {
    /// Reads a block, such as `10.0.0.0/8` or `2001:db8::/32`. An address alone is a block of one.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address =
            self::address(address).map_err(|doubt| format!("`{text}` is no block of addresses: it {}", doubt.0))?;
        let (bits, width) = bits(address);
        let length = match length {
            None => width,
            Some(length) => {
                let plain =
                    length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
                let number = length.parse().ok().filter(|number: &u32| plain && *number <= width);
                number.ok_or_else(|| format!("the length `/{length}` of `{text}` is not a number from 0 to {width}"))?
            }
        };
        let block = Self { bits, length, is_v4: address.is_ipv4() };
        let first = bits & block.mask();
        if first != bits {
            let first = first_address(first, block.is_v4);
            return Err(format!("`{text}` has bits beyond its length: write `{first}/{length}`"));
        }
        Ok(block)
    }

    /// Whether the address is in the block. An address of the other version never is.
    #[must_use]
    pub fn covers(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.is_v4 && bits(address).0 & self.mask() == self.bits
    }

    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128 - self.length).unwrap_or(0)
    }
}

/// The bits at the top of 128, and how many of them an address has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn first_address(bits: u128, is_v4: bool) -> IpAddr {
    if is_v4 {
        IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap_or(0)))
    } else {
        IpAddr::V6(Ipv6Addr::from_bits(bits))
    }
}

/// Reads an address of which there is one reading only.
///
/// # Errors
/// When it is none, or one that stands for another (IPv4 inside of IPv6, tunnels).
pub fn address(text: &str) -> Result<IpAddr, Doubtful> {
    if let Some(address) = v4(text) {
        return Ok(IpAddr::V4(address));
    }
    // `Ipv6Addr` reads RFC 4291 without zones.
    let address: Ipv6Addr = text.parse().map_err(|_| Doubtful("is no plain IP address"))?;
    if stands_for_another(address) {
        return Err(Doubtful("is an IPv6 address that stands for an IPv4 address"));
    }
    Ok(IpAddr::V6(address))
}

/// Four decimal octets without leading zeros.
#[must_use]
pub fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let mut octet = || {
        let part = parts.next()?;
        let plain = (1..=3).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'));
        if plain { part.parse::<u8>().ok() } else { None }
    };
    let address = Ipv4Addr::new(octet()?, octet()?, octet()?, octet()?);
    parts.next().is_none().then_some(address)
}

/// Mapped, compatible, translated and tunnelling forms: an IPv4 address is inside, and routers or libraries unwrap it.
pub(super) fn stands_for_another(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Unspecified and loopback are themselves.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => false,
        // ::/96 compatible, ::ffff:0:0/96 mapped, ::ffff:0:0:0/96 translated (SIIT).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => true,
        // 6to4, Teredo.
        [0x2002, ..] | [0x2001, 0, ..] => true,
        // NAT64, well-known and local.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => true,
        // ISATAP.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, reads) in [
            ("10.1.2.3", true),
            ("0.0.0.0", true),
            ("255.255.255.255", true),
            ("2001:db8::1", true),
            ("2001:DB8:0:0:0:0:0:1", true),
            ("::", true),
            ("::1", true),
            ("fe80::1", true),
            ("010.1.2.3", false),
            ("10.1.2.03", false),
            ("256.1.1.1", false),
            ("1.2.3", false),
            ("1.2.3.4.5", false),
            ("1.2.3.4.", false),
            ("0x0a.1.2.3", false),
            ("167838211", false),
            (" 10.1.2.3", false),
            ("１０.1.2.3", false),
            ("fe80::1%eth0", false),
            ("[::1]", false),
            ("::ffff:10.1.2.3", false),
            ("::ffff:a01:203", false),
            ("::10.1.2.3", false),
            ("::ffff:0:a01:203", false),
            ("2002:a01:203::1", false),
            ("2001:0:1::1", false),
            ("64:ff9b::a01:203", false),
            ("64:ff9b:1::a01:203", false),
            ("fe80::5efe:a01:203", false),
            ("2001:db8::200:5efe:a01:203", false),
            ("", false),
            ("10.0.0.0/8", false),
        ] {
            assert_eq!(address(text).is_ok(), reads, "{text}");
        }
    }

    #[test]
    fn blocks() {
        let covers = |block: &str, text: &str| Block::parse(block).unwrap().covers(address(text).unwrap());
        for (block, text, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "1.2.3.4", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.4", false),
            ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("::1/128", "::1", true),
        ] {
            assert_eq!(covers(block, text), expected, "{block} {text}");
        }
        for block in [
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "x",
            "::ffff:10.0.0.0/104",
            "2001:db8::1/32",
            "",
        ] {
            assert!(Block::parse(block).is_err(), "{block}");
        }
        assert!(Block::parse("10.1.2.3/8").unwrap_err().contains("write `10.0.0.0/8`"));
    }
}

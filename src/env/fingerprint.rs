//! A stable hash of bytes: the same on every machine and in every version, because it is kept in the environment.
//!
//! It finds accidents (an edited modulefile, a damaged variable, entries that moved), not attacks: whoever can write the
//! user's environment needs no collision.

/// Hashes `bytes`, eight at a time.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = SPREAD ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight"));
        hash = (hash ^ word).wrapping_mul(SPREAD);
        hash ^= hash >> 32;
    }
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(SPREAD);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^ (hash >> 32)
}

/// Four bytes of the hash.
pub fn fingerprint32(bytes: &[u8]) -> u32 {
    fingerprint(bytes) as u32
}

/// One byte of the hash: tells entries apart that moved behind our back.
pub(super) fn check_byte(bytes: &[u8]) -> u8 {
    fingerprint(bytes) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_same_in_every_version() {
        assert_eq!(fingerprint(b""), fingerprint(b""));
        assert_eq!(fingerprint32(b"/usr/bin:/bin"), 0xc517_8fd1);
    }

    #[test]
    fn neighbouring_texts_differ() {
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..2000 {
            seen.insert(fingerprint(format!("/apps/{i}/bin").as_bytes()));
        }
        assert_eq!(seen.len(), 2000);
        assert_ne!(fingerprint(b"a\0"), fingerprint(b"a"));
    }
}

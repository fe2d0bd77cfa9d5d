//! The checksums that the hub announces: SHA-256 for large files, git's own for small ones.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A checksum. It is also the name of the file's content in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    kind: Kind,
    hex: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Of the content.
    Sha256,
    /// SHA-1 of the content after git's header.
    GitBlob,
}

impl Checksum {
    /// From an `ETag` or a field of a listing: 64 hexadecimal digits, or 40.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.trim().trim_start_matches("W/").trim_matches('"');
        let kind = match hex.len() {
            64 => Kind::Sha256,
            40 => Kind::GitBlob,
            _ => return None,
        };
        let is_hex = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Self { kind, hex: hex.to_owned() })
    }

    /// Computes the checksum that this one is to be compared with, of `size` bytes that come in
    /// pieces.
    pub fn hasher(&self, size: u64) -> Hasher {
        match self.kind {
            Kind::Sha256 => Hasher::Sha256(Sha256::new()),
            Kind::GitBlob => {
                let mut sha1 = Sha1::default();
                sha1.update(format!("blob {size}\0").as_bytes());
                Hasher::GitBlob(sha1)
            }
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex)
    }
}

/// A checksum in the making.
#[derive(Clone)]
pub enum Hasher {
    /// For large files.
    Sha256(Sha256),
    /// For small ones.
    GitBlob(Sha1),
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sha) => sha.update(bytes),
            Self::GitBlob(sha) => sha.update(bytes),
        }
    }

    /// The checksum of all that came.
    pub fn finish(self) -> Checksum {
        let (kind, digest) = match self {
            Self::Sha256(sha) => (Kind::Sha256, sha.finalize().to_vec()),
            Self::GitBlob(sha) => (Kind::GitBlob, sha.finish().to_vec()),
        };
        Checksum { kind, hex: digest.iter().map(|b| format!("{b:02x}")).collect() }
    }
}

/// SHA-1 as FIPS 180-4 defines it. It names git's objects and finds accidents; it is no protection
/// against an attacker, whom the encrypted connection keeps out.
#[derive(Clone)]
pub struct Sha1 {
    state: [u32; 5],
    block: [u8; 64],
    len: u64,
}

impl Default for Sha1 {
    fn default() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, block: [0; 64], len: 0 }
    }
}

impl Sha1 {
    fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.block[(self.len % 64) as usize] = byte;
            self.len += 1;
            if self.len.is_multiple_of(64) {
                self.compress();
            }
        }
    }

    fn finish(mut self) -> [u8; 20] {
        let bits = self.len * 8;
        self.update(&[0x80]);
        while self.len % 64 != 56 {
            self.update(&[0]);
        }
        self.update(&bits.to_be_bytes());
        let mut out = [0; 20];
        for (bytes, word) in out.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        out
    }

    fn compress(&mut self) {
        let mut w = [0u32; 80];
        for (word, bytes) in w.iter_mut().zip(self.block.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
        }
        for t in 16..80 {
            w[t] = (w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = self.state;
        for (t, word) in w.into_iter().enumerate() {
            let (f, k) = match t {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6u32),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (old, new) in self.state.iter_mut().zip([a, b, c, d, e]) {
            *old = old.wrapping_add(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(etag: &str, content: &[u8]) -> String {
        let mut hasher = Checksum::parse(etag).expect("an etag").hasher(content.len() as u64);
        for piece in content.chunks(7) {
            hasher.update(piece);
        }
        hasher.finish().to_string()
    }

    /// The values are those of `git hash-object` and `sha256sum`.
    #[test]
    fn checksums_are_those_of_git_and_sha256sum() {
        let (git, sha) = ("0".repeat(40), "0".repeat(64));
        assert_eq!(of(&git, b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(of(&git, b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(of(&git, &[b'a'; 1000]), GIT_THOUSAND);
        assert_eq!(of(&sha, b"hello\n"), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    }

    const GIT_THOUSAND: &str = "a50be72b20f0e3f078d252e8e56b11b4bec67509";

    #[test]
    fn only_checksums_are_taken_for_checksums() {
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        for text in [format!("\"{git}\""), format!("W/\"{git}\""), git.to_owned()] {
            assert_eq!(Checksum::parse(&text).expect("a checksum").to_string(), git);
        }
        for text in
            ["", "\"abc\"", "../../../../../../../../../../etc/passwd", &"G".repeat(40), &"A".repeat(64)]
        {
            assert_eq!(Checksum::parse(text), None, "{text}");
        }
    }
}

//! What stands for a person or for an identifier that names one: hashes under the city's key.

use city_model::Name;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Reporter, half_width, identifiers, operators};

/// What the name that stands for another begins with.
const COVERED: &str = "h-";

/// Counts reporters without knowing them, also over a change of the key.
#[derive(Clone)]
pub(crate) struct PrivacyKeys {
    present: Option<Hmac<Sha256>>,
    /// The key before it, while both are configured.
    before: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for PrivacyKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivacyKeys") // the keys are secrets
    }
}

impl PrivacyKeys {
    pub(crate) fn new(present: &[u8], before: Option<&[u8]>) -> PrivacyKeys {
        let mac = |key: &[u8]| Hmac::new_from_slice(key).ok(); // HMAC takes keys of any length
        PrivacyKeys {
            present: mac(present),
            before: before.and_then(mac),
        }
    }

    /// The first 8 bytes of HMAC-SHA256 of the normalised number, under the present key; `None` when it names nobody.
    pub(crate) fn hash(&self, phone: &str) -> Option<u64> {
        first_bytes(self.present.as_ref()?, "", &normal_phone(phone)?)
    }

    /// The same under the key before it, while that is configured.
    pub(crate) fn hash_before(&self, phone: &str) -> Option<u64> {
        first_bytes(self.before.as_ref()?, "", &normal_phone(phone)?)
    }

    /// What an identifier is published as, if it holds something personal: a hash of itself, so that it goes on naming
    /// one thing. Letters alone, in which nothing can look like a number again.
    pub(crate) fn cover(&self, id: &str) -> Option<Name> {
        identifiers::holds_person(id).then(|| self.covered(id))
    }

    /// The same for the name of something that was told, or of the system that told it.
    pub(crate) fn cover_event(&self, id: &str) -> Option<Name> {
        is_personal_event(id).then(|| self.covered(id))
    }

    /// The same for an identifier of a system that takes callers' words, whose own caller may be known: systems number
    /// their tickets by the number that rang. Who cites such an identifier cites what it was published as.
    pub(crate) fn cover_call(&self, id: &str, caller: Option<&Reporter>) -> Option<Name> {
        let names = |id: &str| caller.is_some_and(|caller| caller.is_in(id));
        let is_personal = is_personal_event(id)
            || identifiers::holds_local_number(id)
            || operators::holds_han_name(id)
            || names(id);
        is_personal.then(|| self.covered(id))
    }

    /// The same for the name of a person's account, which may be nothing but the person's name.
    pub(crate) fn cover_operator(&self, id: &str) -> Option<Name> {
        let is_name = || !is_covered(id) && operators::is_name(id);
        (is_personal_event(id) || is_name()).then(|| self.covered(id))
    }

    fn covered(&self, id: &str) -> Name {
        // No phone number begins like this, so the two uses of the key never meet.
        let hash = self
            .present
            .as_ref()
            .and_then(|mac| first_bytes(mac, "id\0", id))
            .unwrap_or_default();
        let letters = (0..16).rev().map(|place| {
            let nibble = (hash >> (4 * place)) & 15;
            char::from(b'a' + nibble as u8)
        });
        format!("{COVERED}{}", letters.collect::<String>()).into()
    }
}

/// What is covered already is not looked at again, for its letters may spell anything.
fn is_personal_event(id: &str) -> bool {
    !is_covered(id) && (identifiers::holds_person(id) || identifiers::event_holds_person(id))
}

fn is_covered(id: &str) -> bool {
    let hash = id.strip_prefix(COVERED);
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_lowercase() && b <= b'p'))
}

fn first_bytes(mac: &Hmac<Sha256>, use_of_key: &str, text: &str) -> Option<u64> {
    let mut mac = mac.clone();
    mac.update(use_of_key.as_bytes());
    mac.update(text.as_bytes());
    mac.finalize()
        .into_bytes()
        .first_chunk()
        .map(|bytes| u64::from_be_bytes(*bytes))
}

/// A number's digits without the country's prefix. Masked numbers and placeholders would make one person of many.
pub(super) fn normal_phone(phone: &str) -> Option<String> {
    let phone = half_width(phone);
    if phone.contains('*') {
        return None;
    }
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")) {
        Some(rest) if rest.len() >= 10 => rest,
        _ => &digits,
    };
    let first = national.chars().next()?;
    let says_nothing = national.len() < 5 || national.chars().all(|c| c == first);
    (!says_nothing).then(|| national.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_one_reporter() {
        let keys = PrivacyKeys::new(b"key", None);
        let one = keys.hash("13812345678");
        assert!(one.is_some());
        for same in [
            "+86 138-1234-5678",
            "008613812345678",
            "8613812345678",
            "１３８１２３４５６７８",
        ] {
            assert_eq!(keys.hash(same), one, "{same}");
        }
        assert_ne!(keys.hash("13812345679"), one);
        assert_ne!(PrivacyKeys::new(b"other", None).hash("13812345678"), one);
        for nobody in ["", "保密", "138****5678", "00000000000", "123"] {
            assert_eq!(keys.hash(nobody), None, "{nobody}");
        }
        // RFC 4231, test case 2, fixes the algorithm.
        let mut mac = PrivacyKeys::new(b"Jefe", None).present.unwrap();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(
            city_model::hex(&mac.finalize().into_bytes())[..16],
            *"5bdcc146bf60754e"
        );
    }

    #[test]
    fn the_hash_before_is_what_the_old_key_gave() {
        let (old, new) = (
            PrivacyKeys::new(b"old", None),
            PrivacyKeys::new(b"new", Some(b"old")),
        );
        assert_eq!(new.hash_before("13812345678"), old.hash("13812345678"));
        assert_ne!(new.hash("13812345678"), old.hash("13812345678"));
        assert_eq!(old.hash_before("13812345678"), None);
        assert_eq!(new.hash_before("保密"), None);
    }

    #[test]
    fn a_covered_identifier_goes_on_naming_one_thing() {
        let keys = PrivacyKeys::new(b"key", None);
        let covered = keys.cover("W-13812345678").unwrap();
        assert_eq!(keys.cover("W-13812345678").as_ref(), Some(&covered));
        assert_ne!(keys.cover("V-13812345678").as_ref(), Some(&covered));
        assert_eq!(keys.cover(&covered), None, "{covered}");
        assert_eq!(keys.cover_operator(&covered), None);
        assert_eq!((keys.cover("张三"), keys.cover("W-17")), (None, None));
        assert!(keys.cover_operator("张三").is_some() && keys.cover_operator("duty").is_none());
    }
}

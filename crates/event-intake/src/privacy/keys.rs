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

    /// The first 8 bytes of HMAC-SHA256 of the normalised number, of a landline without its area, under the present key; `None`
    /// when it names nobody.
    pub(crate) fn hash(&self, phone: &str) -> Option<u64> {
        let digits = normal_phone(phone)?;
        first_bytes(self.present.as_ref()?, "", subscriber(&digits))
    }

    /// What incidents may have counted the same number as: under the key before it, while that is configured; else, of a landline with
    /// its area, that as it was written, for the area once counted.
    pub(crate) fn hash_before(&self, phone: &str) -> Option<u64> {
        let digits = normal_phone(phone)?;
        let local = subscriber(&digits);
        match &self.before {
            Some(before) => first_bytes(before, "", local),
            None if local == digits => None,
            None => first_bytes(self.present.as_ref()?, "", &digits),
        }
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

/// The digits of a landline without its area, for those who call within the city leave it out: 021-57812345 is 57812345. Other
/// numbers as they are. Two people of two cities may share one then: among the few who tell of one thing that is as good as never.
fn subscriber(digits: &str) -> &str {
    // 010 and 02x are the areas of two digits, 03xx to 09xx of three; abroad the zero goes.
    let (zero, rest) = digits.strip_prefix('0').map_or((0, digits), |rest| (1, rest));
    let area = match (zero, rest.as_bytes()) {
        (_, [b'1', b'0', ..] | [b'2', ..]) => 2,
        (1, [b'3'..=b'9', ..]) => 3,
        _ => return digits,
    };
    let local = rest.get(area..).unwrap_or_default();
    // Landlines of one's own area have eight digits where that has two, else seven or eight, and begin with 2 to 8.
    let is_local = match area {
        2 => local.len() == 8,
        _ => matches!(local.len(), 7 | 8),
    };
    if is_local && local.starts_with(|first| ('2'..='8').contains(&first)) {
        local
    } else {
        digits
    }
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
    fn a_landline_is_one_reporter_with_its_area_and_without() {
        let keys = PrivacyKeys::new(b"key", None);
        let one = keys.hash("57812345");
        assert!(one.is_some());
        for same in [
            "021-57812345",
            "(021)5781 2345",
            "02157812345",
            "+86 21 5781 2345",
            "0086-21-57812345",
            "０２１－５７８１２３４５",
        ] {
            assert_eq!(keys.hash(same), one, "{same}");
        }
        assert_eq!(keys.hash("0512-6781234"), keys.hash("6781234"));
        assert_eq!(keys.hash("0571-87812345"), keys.hash("87812345"));
        // What is no landline with its area stays whole.
        for whole in [
            "13857812345",
            "4008001234",
            "12345",
            "2157812",
            "021-1234567",
            "02112345678",
        ] {
            let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(subscriber(&digits), digits, "{whole}");
        }
    }

    #[test]
    fn what_was_counted_with_its_area_counts_on() {
        let keys = PrivacyKeys::new(b"key", None);
        let mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
        // As versions before hashed it.
        assert_eq!(
            keys.hash_before("021-57812345"),
            first_bytes(&mac, "", "02157812345")
        );
        assert_eq!(keys.hash_before("57812345"), None);
        assert_eq!(keys.hash_before("13812345678"), None);
        let both = PrivacyKeys::new(b"key", Some(b"old"));
        let old = PrivacyKeys::new(b"old", None);
        assert_eq!(both.hash_before("021-57812345"), old.hash("57812345"));
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

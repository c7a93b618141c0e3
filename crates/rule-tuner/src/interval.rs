//! How sure a share is that was counted.

/// The Wilson interval at 95 % of `part` in `whole` (E. B. Wilson, 1927): it stays within 0 and 1 and holds for few counts.
pub fn wilson(part: usize, whole: usize) -> Option<(f64, f64)> {
    if whole == 0 {
        return None;
    }
    const Z: f64 = 1.959_964; // 97.5 % of the normal distribution
    let (n, p) = (whole as f64, part as f64 / whole as f64);
    let middle = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Some((
        ((middle - half) / scale).max(0.0),
        ((middle + half) / scale).min(1.0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_example() {
        // Newcombe (1998), table I, method 3: 81 of 263 gives 0.2553 to 0.3662.
        let (low, high) = wilson(81, 263).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
        assert_eq!(wilson(0, 0), None);
        let (low, high) = wilson(5, 5).unwrap();
        assert!(low > 0.5 && high <= 1.0);
    }
}

//! Numbers that come out the same on every machine.

/// min(1, ln(1+x)/ln(1+reference)): 0 at 0, 1 from the reference on. Anchored, so that it never
/// depends on what else is judged.
pub(super) fn anchored_log(x: f64, reference: f64) -> f64 {
    settled((x.max(0.0).ln_1p() / reference.ln_1p()).min(1.0))
}

/// Twelve significant digits: what mathematics libraries may differ in is cut off, so that the same
/// input gives the same bytes and ties stay ties.
pub(super) fn settled(x: f64) -> f64 {
    format!("{x:.11e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_anchored_at_zero_and_at_its_reference() {
        assert_eq!(anchored_log(0.0, 20.0), 0.0);
        assert_eq!(anchored_log(20.0, 20.0), 1.0);
        assert_eq!(anchored_log(1e9, 20.0), 1.0);
        // ln(1+1)/ln(1+3) = 1/2.
        assert_eq!(anchored_log(1.0, 3.0), 0.5);
    }

    #[test]
    fn the_last_bits_settle() {
        assert_eq!(settled(0.1 + 0.2), 0.3);
        assert_eq!(settled(1e-300), 1e-300);
        assert!(settled(f64::NAN).is_nan());
    }
}

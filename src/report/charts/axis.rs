//! Round numbers for axes.

/// Ticks from 0 to at least `max`, about `wanted` of them, a round step apart.
pub(super) fn ticks(max: f64, wanted: usize) -> Vec<f64> {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let rough = max / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= rough * 0.999).unwrap_or(power * 10.0);
    let count = (max / step - 1e-9).ceil() as usize;
    (0..=count).map(|n| n as f64 * step).collect()
}

/// A tick without needless zeros.
pub(super) fn tick_text(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_end() {
        assert_eq!(ticks(9.3, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(f64::NAN, 4).len(), 5);
        assert_eq!((tick_text(0.025), tick_text(10.0), tick_text(0.0)), ("0.025".into(), "10".into(), "0".into()));
    }
}

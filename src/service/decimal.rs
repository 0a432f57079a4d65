use crate::vocab::Column;

/// Whether `digits` is a decimal in plain notation: an optional minus, no needless leading zero, an
/// optional point with digits after it. Scale is kept, so `1.50` and `1.5` are two values.
pub(super) fn is_plain(digits: &str) -> bool {
    let unsigned = digits.as_bytes();
    let unsigned = unsigned.strip_prefix(b"-").unwrap_or(unsigned);
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(unsigned);
    let needless = whole > 1 && unsigned[0] == b'0';
    let fraction_is_right = match &unsigned[whole..] {
        [] => true,
        [b'.', fraction @ ..] => !fraction.is_empty() && digits(fraction) == fraction.len(),
        _ => false,
    };
    whole > 0 && !needless && fraction_is_right
}

/// Precision and scale of a column declared as `numeric(p,s)` or `decimal(p,s)` with at most 38
/// digits; `None` where its physical type fixes no scale.
pub(super) fn declared(column: &Column) -> Option<(u8, u8)> {
    let lower = column.physical.trim().to_ascii_lowercase();
    let inside = ["numeric", "decimal", "number", "dec"]
        .iter()
        .find_map(|name| lower.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')'))?;
    let (precision, scale) = match inside.split_once(',') {
        Some((precision, scale)) => (precision.trim().parse().ok()?, scale.trim().parse().ok()?),
        None => (inside.trim().parse().ok()?, 0),
    };
    let holds: bool = (1..=38).contains(&precision) && scale <= precision;
    holds.then_some((precision, scale))
}

/// `digits` as a whole number of units of 10^-scale; `None` unless it has exactly that scale, at most
/// `precision` digits, and is no negative zero: what a fixed-point column would have to change.
pub(super) fn unscaled(digits: &str, precision: u8, scale: u8) -> Option<i128> {
    let fraction = digits.split_once('.').map_or("", |(_, fraction)| fraction);
    if fraction.len() != usize::from(scale) {
        return None;
    }
    let units: i128 = digits.replace('.', "").parse().ok()?;
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    let negative_zero = units == 0 && digits.starts_with('-');
    (-limit < units && units < limit && !negative_zero).then_some(units)
}

/// `units` of 10^-scale in plain notation: the inverse of [`unscaled`].
pub(super) fn scaled(units: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    match digits.split_at(digits.len() - scale) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::LogicalType;

    #[test]
    fn plain_notation_has_one_spelling_a_scale() {
        for good in ["0", "-0.00", "12.50", "-1", "99999999999999999999999999999999999999999.1"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["", "-", "+1", "01", "1.", ".5", "1e3", "NaN", "1,5", "--1", "1.2.3", "１"] {
            assert!(!is_plain(bad), "{bad}");
        }
    }

    #[test]
    fn a_fixed_scale_takes_only_what_it_need_not_change() {
        assert_eq!(unscaled("-12.50", 5, 2), Some(-1250));
        assert_eq!(unscaled("999", 3, 0), Some(999));
        for (digits, precision, scale) in [("1.5", 5, 2), ("1000", 3, 0), ("-0.00", 5, 2), ("1.234", 5, 2)] {
            assert_eq!(unscaled(digits, precision, scale), None, "{digits}");
        }
        for digits in ["-12.50", "0.01", "-0.01", "0.00", "123456.78"] {
            assert_eq!(scaled(unscaled(digits, 38, 2).unwrap(), 2), digits);
        }
        assert_eq!((scaled(-7, 0), scaled(0, 0)), ("-7".to_owned(), "0".to_owned()));
    }

    #[test]
    fn precision_is_read_from_the_declared_type() {
        let declared = |physical: &str| {
            let name = "n".to_owned();
            declared(&Column {
                name,
                logical: LogicalType::Decimal,
                physical: physical.to_owned(),
                nullable: true,
                description: None,
            })
        };
        assert_eq!(declared("NUMERIC(12, 2)"), Some((12, 2)));
        assert_eq!(declared("decimal (9)"), Some((9, 0)));
        for none in ["numeric", "", "decimal(39,2)", "decimal(2,3)", "numeric(-1)", "decimal(a,b)", "varchar(20)"] {
            assert_eq!(declared(none), None, "{none}");
        }
    }
}

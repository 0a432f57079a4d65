//! A `numeric` as binary COPY sends it, as the digits that PostgreSQL writes for it.
use super::wire::number;

/// What a sign may be, beside those that are no numbers.
const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;
/// Bytes before the digits: their number, the first one's weight, the sign, the digits after the point.
const HEADER: usize = 8;

/// The text of the number, in `room`; `None` where `bytes` are none. What no decimal can be comes as PostgreSQL names it.
pub(super) fn text(bytes: &[u8], room: String) -> Option<String> {
    let [count, weight] = [0, 2].map(|at| number(bytes, at).map(i16::from_be_bytes));
    let [sign, scale] = [4, 6].map(|at| number(bytes, at).map(u16::from_be_bytes));
    let (count, weight, scale) = (usize::try_from(count?).ok()?, i32::from(weight?), usize::from(scale?));
    let mut out = match sign? {
        NOT_A_NUMBER => return Some("NaN".to_owned()),
        INFINITY => return Some("Infinity".to_owned()),
        MINUS_INFINITY => return Some("-Infinity".to_owned()),
        POSITIVE | NEGATIVE => room.into_bytes(),
        _ => return None,
    };
    out.clear();
    out.reserve(needed(weight, scale));
    if sign == Some(NEGATIVE) {
        out.push(b'-');
    }
    if bytes.len() != HEADER + 2 * count {
        return None;
    }
    // Each stands for four decimal digits; those that are not sent are noughts.
    let group = |at: i32| -> Option<u16> {
        match usize::try_from(at).ok().filter(|at| *at < count) {
            Some(at) => number(bytes, HEADER + 2 * at).map(u16::from_be_bytes).filter(|group| *group < 10_000),
            None => Some(0),
        }
    };
    push_whole(&mut out, weight, group)?;
    if scale > 0 {
        push_fraction(&mut out, weight, scale, group)?;
    }
    String::from_utf8(out).ok()
}

fn needed(weight: i32, scale: usize) -> usize {
    4 * usize::try_from(weight + 1).unwrap_or(0) + scale + 7
}

/// What stands before the point, without noughts in front.
fn push_whole(out: &mut Vec<u8>, weight: i32, group: impl Fn(i32) -> Option<u16>) -> Option<()> {
    if weight < 0 {
        out.push(b'0');
        return Some(());
    }
    let first = digits(group(0)?);
    let noughts = first.iter().take(3).take_while(|digit| **digit == b'0').count();
    out.extend(&first[noughts..]);
    for at in 1..=weight {
        out.extend(digits(group(at)?));
    }
    Some(())
}

/// The point and `scale` digits.
fn push_fraction(out: &mut Vec<u8>, weight: i32, scale: usize, group: impl Fn(i32) -> Option<u16>) -> Option<()> {
    out.push(b'.');
    let end = out.len() + scale;
    let mut at = weight + 1;
    while out.len() < end {
        out.extend(digits(group(at)?));
        at += 1;
    }
    out.truncate(end);
    Some(())
}

fn digits(group: u16) -> [u8; 4] {
    [group / 1000, group / 100 % 10, group / 10 % 10, group % 10].map(|digit| b'0' + digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let mut bytes = (groups.len() as u16).to_be_bytes().to_vec();
        bytes.extend(weight.to_be_bytes());
        bytes.extend([sign, scale].into_iter().chain(groups.iter().copied()).flat_map(u16::to_be_bytes));
        bytes
    }

    #[test]
    fn groups_of_four_digits_become_the_number_they_are() {
        // The value is the sum of group × 10000^(weight - place).
        for (weight, sign, scale, groups, wanted) in [
            (0, POSITIVE, 0, &[][..], "0"),
            (0, POSITIVE, 2, &[][..], "0.00"),
            (0, POSITIVE, 2, &[12, 5000][..], "12.50"),
            (1, NEGATIVE, 0, &[1, 23][..], "-10023"),
            (2, POSITIVE, 0, &[7][..], "700000000"),
            (-1, POSITIVE, 1, &[5000][..], "0.5"),
            (-2, NEGATIVE, 7, &[10][..], "-0.0000001"),
            (-3, POSITIVE, 12, &[1][..], "0.000000000001"),
            (0, POSITIVE, 6, &[9999, 1234, 5600][..], "9999.123456"),
            (0, NOT_A_NUMBER, 0, &[][..], "NaN"),
            (0, MINUS_INFINITY, 0, &[][..], "-Infinity"),
        ] {
            assert_eq!(text(&sent(weight, sign, scale, groups), "left over".to_owned()).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let whole = sent(0, POSITIVE, 2, &[12, 5000]);
        (0..whole.len()).for_each(|cut| assert_eq!(text(&whole[..cut], String::new()), None, "{cut}"));
        assert_eq!(text(&sent(0, 7, 0, &[1]), String::new()), None);
        assert_eq!(text(&sent(0, POSITIVE, 0, &[10_000]), String::new()), None);
    }
}

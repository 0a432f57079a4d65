/// Whether `name` fits `glob`: `*` stands for any run of characters (dots included), `?` for one.
/// Case does not count, as in every name of a dataset.
pub fn name_matches(glob: &str, name: &str) -> bool {
    let glob: Vec<char> = glob.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut seen) = (0, 0);
    // The last `*` and how much of the name it has taken: on a mismatch it takes one more.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    seen = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_spans_dots_and_a_question_mark_one_character() {
        assert!(name_matches("raw.order_*", "raw.order_lines"));
        assert!(name_matches("*orders", "RAW.orders"));
        assert!(name_matches("raw.*_?", "raw.a_b_c"));
        assert!(name_matches("order_db:*", "order_db:orders"));
        assert!(!name_matches("raw.order", "raw.orders"));
        assert!(!name_matches("raw.?", "raw."));
        assert!(!name_matches("", "x"));
    }
}

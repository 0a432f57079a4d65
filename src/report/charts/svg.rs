//! A few shapes, and text that cannot break out of them.

/// A drawing that grows.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Svg { width, height, body: String::new() }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        self.body.push_str(&format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), radius: f64, class: &str) {
        let [x, y, w, h, r] = [at.0, at.1, size.0.max(0.0), size.1.max(0.0), radius].map(number);
        self.body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\"/>"
        ));
    }

    pub(super) fn circle(&mut self, at: (f64, f64), radius: f64, class: &str) {
        let [x, y, r] = [at.0, at.1, radius].map(number);
        self.body.push_str(&format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>"));
    }

    /// A path through `points`, its first a move, its others lines.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        self.body.push_str(&format!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    /// A curve from `from` to `to` with its two control points; `attributes` must be escaped already.
    pub(super) fn curve(&mut self, points: [(f64, f64); 4], class: &str, attributes: &str) {
        let [a, b, c, d] = points.map(|(x, y)| format!("{} {}", number(x), number(y)));
        self.body.push_str(&format!("<path class=\"{class}\" d=\"M{a} C{b}, {c}, {d}\" {attributes}/>"));
    }

    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let [x, y] = [at.0, at.1].map(number);
        let text = escape(text);
        self.body
            .push_str(&format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"));
    }

    /// Opens a group; `attributes` must be escaped already. Its tooltip is `title`, unless that is empty.
    pub(super) fn open(&mut self, attributes: &str, title: &str) {
        self.body.push_str(&format!("<g {attributes}>"));
        if !title.is_empty() {
            self.body.push_str(&format!("<title>{}</title>", escape(title)));
        }
    }

    pub(super) fn close(&mut self) {
        self.body.push_str("</g>");
    }

    /// The drawing as an element; `label` says what it shows to who cannot see it.
    pub(super) fn finish(self, class: &str, label: &str) -> String {
        let (w, h) = (number(self.width), number(self.height));
        let label = escape(label);
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"{label}\">{}</svg>",
            self.body
        )
    }
}

/// A coordinate with one decimal at most; 0 for what is no number.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// `text` as it may stand in an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// About how wide `text` is at `size` pixels in the page's font.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let width = |c: char| match c {
        'i' | 'l' | 'j' | '.' | ',' | ':' | '\'' | '|' | ' ' => 0.3,
        'm' | 'w' | 'M' | 'W' => 0.87,
        c if c.is_uppercase() => 0.7,
        c if c.is_ascii() => 0.59,
        _ => 0.9,
    };
    text.chars().map(width).sum::<f64>() * size
}

/// `text` cut to about `width` pixels at `size`.
pub(super) fn fit(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if text_width(&cut, size) > width - size * 0.9 {
            cut.pop();
            break;
        }
    }
    format!("{}…", cut.trim_end())
}

/// A share, safe to draw: 0 for what is no number, at most 1.
pub(super) fn unit(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}

/// A size, safe to draw: 0 for what is no number or below 0.
pub(super) fn positive(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_its_element() {
        let mut svg = Svg::new(10.0, f64::NAN);
        svg.text((0.0, -0.01), Anchor::Start, "t", "</text><script>\"");
        let drawn = svg.finish("c", "a\"b");
        assert!(!drawn.contains("<script") && drawn.contains("&lt;script") && drawn.contains("a&quot;b"));
        assert!(!drawn.contains("NaN") && !drawn.contains("-0"));
    }

    #[test]
    fn a_long_name_is_cut_to_its_room() {
        let name = "a-very-long-service-name-that-never-ends";
        assert!(text_width(&fit(name, 12.0, 100.0), 12.0) <= 100.0);
        assert_eq!(fit("short", 12.0, 100.0), "short");
    }
}

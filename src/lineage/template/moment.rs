//! dbt's `run_started_at` and `modules`: a moment nobody knows, its parts numbers that can be counted with.
use std::{fmt, sync::Arc};

use minijinja::{
    Error, State,
    value::{Object, ObjectRepr, Value},
};

/// A moment, or something of `modules` that gives one. Its values have the shape of those of a run.
#[derive(Debug)]
pub(super) struct Moment;

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => Value::from(2024),
            "month" | "day" => Value::from(1),
            "hour" | "minute" | "second" | "microsecond" | "days" | "seconds" => Value::from(0),
            _ => Value::from_dyn_object(self.clone()),
        })
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from_dyn_object(self.clone()))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        Ok(match method {
            "strftime" | "format" => Value::from(shaped_as(args.first().and_then(Value::as_str).unwrap_or("%Y-%m-%d"))),
            "isoformat" => Value::from("2024-01-01T00:00:00"),
            "timestamp" | "weekday" | "isoweekday" | "toordinal" => Value::from(0),
            _ => Value::from_dyn_object(self.clone()),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("2024-01-01 00:00:00")
    }
}

/// The first of January 2024 as `form` writes it.
fn shaped_as(form: &str) -> String {
    let parts = [
        ("%Y", "2024"),
        ("%y", "24"),
        ("%m", "01"),
        ("%d", "01"),
        ("%H", "00"),
        ("%M", "00"),
        ("%S", "00"),
        ("%j", "001"),
    ];
    parts.iter().fold(form.to_owned(), |text, (mark, value)| text.replace(mark, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_its_form_says() {
        assert_eq!(shaped_as("%Y%m%d_%H"), "20240101_00");
    }
}

use std::{collections::HashMap, sync::Arc};

use arrow_schema::{DataType, Field, Schema as ArrowSchema, TimeUnit};

use super::{check::word, decimal};
use crate::vocab::{Column, LogicalType, Schema};

/// Says in each field what the column means, for readers that know carve.
const LOGICAL_KEY: &str = "carve.logical";

/// The Arrow schema of a part. One entry of metadata a field: more would come in any order.
pub(super) fn arrow_schema(schema: &Schema) -> Arc<ArrowSchema> {
    let field = |column: &Column| {
        let metadata = HashMap::from([(LOGICAL_KEY.to_owned(), word(column.logical).to_owned())]);
        Field::new(&column.name, arrow_type(column), column.nullable).with_metadata(metadata)
    };
    Arc::new(ArrowSchema::new(schema.columns.iter().map(field).collect::<Vec<_>>()))
}

/// The Arrow type of a column. A decimal is a fixed-point number where its declared type fixes the
/// scale, and its digits as text otherwise: Arrow has no decimal whose scale varies.
pub(super) fn arrow_type(column: &Column) -> DataType {
    match column.logical {
        LogicalType::Boolean => DataType::Boolean,
        LogicalType::Integer => DataType::Int64,
        LogicalType::Decimal => match fixed_point(column) {
            Some((precision, scale)) => DataType::Decimal128(precision, scale as i8),
            None => DataType::Utf8,
        },
        LogicalType::Double | LogicalType::Number => DataType::Float64,
        LogicalType::Text => DataType::Utf8,
        LogicalType::Bytes => DataType::Binary,
        LogicalType::Date => DataType::Date32,
        LogicalType::Time => DataType::Time64(TimeUnit::Microsecond),
        LogicalType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        LogicalType::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// Precision and scale of a decimal column that parts keep as fixed point.
pub(super) fn fixed_point(column: &Column) -> Option<(u8, u8)> {
    decimal::declared(column)
}

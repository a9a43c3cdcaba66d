//! Shapes of the answers that the integrations of our engine and their AWS SDK namesakes give, against which a mocked
//! result is checked. A service that is not in the table is not checked.

use serde_json::Value;

/// The shape of a field.
enum Shape {
    Text,
    Number,
    Between(f64, f64),
    Flag,
    OneOf(&'static [&'static str]),
    List(&'static Shape),
    Record(&'static [Field]),
    /// A free map: attribute values, metadata.
    Free,
}

/// A field's name, its shape, and whether AWS promises it.
type Field = (&'static str, Shape, bool);

use Shape::{Between, Flag, Free, List, Number, OneOf, Record, Text};

const CAPACITY: Shape = Record(&[
    ("TableName", Text, false),
    ("CapacityUnits", Number, false),
    ("ReadCapacityUnits", Number, false),
    ("WriteCapacityUnits", Number, false),
]);

const STORAGE: Shape = OneOf(&[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
]);

const INVOKE: &[Field] = &[
    ("StatusCode", Number, false),
    ("FunctionError", Text, false),
    ("LogResult", Text, false),
    ("ExecutedVersion", Text, false),
    ("Payload", Free, false),
];

const ITEM: &[Field] = &[
    ("Attributes", Free, false),
    ("Item", Free, false),
    ("ConsumedCapacity", CAPACITY, false),
    ("ItemCollectionMetrics", Free, false),
];

const EXECUTION: &[Field] = &[("ExecutionArn", Text, true), ("StartDate", Text, true)];

const RUN: &[Field] = &[
    ("ExecutionArn", Text, true),
    ("StartDate", Text, true),
    ("StateMachineArn", Text, true),
    ("Status", OneOf(&["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]), true),
    ("StopDate", Text, false),
    ("Name", Text, false),
];

const EVENTS: &[Field] = &[
    ("FailedEntryCount", Number, false),
    (
        "Entries",
        List(&Record(&[("EventId", Text, false), ("ErrorCode", Text, false), ("ErrorMessage", Text, false)])),
        false,
    ),
];

const MESSAGE: &[Field] = &[
    ("MessageId", Text, false),
    ("MD5OfMessageBody", Text, false),
    ("MD5OfMessageAttributes", Text, false),
    ("MD5OfMessageSystemAttributes", Text, false),
    ("SequenceNumber", Text, false),
];

const OBJECT: &[Field] = &[
    ("Body", Text, false),
    ("ContentLength", Number, false),
    ("ContentType", Text, false),
    ("ETag", Text, false),
    ("LastModified", Text, false),
    ("DeleteMarker", Flag, false),
    ("StorageClass", STORAGE, false),
    ("VersionId", Text, false),
    ("PartsCount", Number, false),
    ("TagCount", Number, false),
    ("Metadata", Free, false),
];

const LISTING: &[Field] = &[
    ("IsTruncated", Flag, false),
    ("KeyCount", Number, false),
    ("MaxKeys", Number, false),
    ("Name", Text, false),
    ("Prefix", Text, false),
    (
        "Contents",
        List(&Record(&[("Key", Text, false), ("Size", Number, false), ("ETag", Text, false)])),
        false,
    ),
];

const FUNCTION: &[Field] = &[(
    "Configuration",
    Record(&[
        ("FunctionName", Text, false),
        ("FunctionArn", Text, false),
        ("Runtime", Text, false),
        ("Role", Text, false),
        ("Handler", Text, false),
        ("CodeSize", Number, false),
        ("Description", Text, false),
        ("Timeout", Between(1.0, f64::INFINITY), false),
        ("MemorySize", Between(128.0, 10_240.0), false),
        ("LastModified", Text, false),
        ("Version", Text, false),
    ]),
    false,
)];

const ENCRYPTED: &[Field] =
    &[("CiphertextBlob", Text, false), ("KeyId", Text, false), ("EncryptionAlgorithm", Text, false)];

const TABLE: &[(&str, &str, &[Field])] = &[
    ("lambda", "invoke", INVOKE),
    ("lambda", "getFunction", FUNCTION),
    ("dynamodb", "getItem", ITEM),
    ("dynamodb", "putItem", ITEM),
    ("dynamodb", "updateItem", ITEM),
    ("dynamodb", "deleteItem", ITEM),
    ("states", "startExecution", EXECUTION),
    ("states", "startExecution.sync", RUN),
    ("states", "startExecution.sync:2", RUN),
    ("sfn", "startExecution", EXECUTION),
    ("events", "putEvents", EVENTS),
    ("eventbridge", "putEvents", EVENTS),
    ("sqs", "sendMessage", MESSAGE),
    ("sns", "publish", MESSAGE),
    ("s3", "getObject", OBJECT),
    ("s3", "putObject", OBJECT),
    ("s3", "listObjectsV2", LISTING),
    ("kms", "encrypt", ENCRYPTED),
];

/// Checks a mocked answer; `strict` also asks for the fields that AWS promises.
pub(super) fn check(service: &str, action: &str, result: &Value, strict: bool) -> Result<(), String> {
    let service = service.trim_start_matches("aws-sdk:");
    match TABLE.iter().find(|row| row.0 == service && row.1 == action) {
        Some((_, _, fields)) => record(fields, result, strict),
        None => Ok(()),
    }
}

fn record(fields: &[Field], value: &Value, strict: bool) -> Result<(), String> {
    for (name, shape, promised) in fields {
        match value.get(name) {
            Some(value) => fits(name, shape, value, strict)?,
            None if *promised && strict => return Err(format!("Required field '{name}' is missing")),
            None => {}
        }
    }
    Ok(())
}

fn fits(name: &str, shape: &Shape, value: &Value, strict: bool) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("Field '{name}' {what}"));
    match shape {
        Text | OneOf(_) if !value.is_string() => wrong("must be a string"),
        OneOf(names) if !names.iter().any(|one| value == one) => wrong("is not an expected value"),
        Number | Between(..) if !value.is_number() => wrong("must be a number"),
        Between(least, _) if value.as_f64().is_some_and(|number| number < *least) => {
            wrong("is less than the minimum value")
        }
        Between(_, most) if value.as_f64().is_some_and(|number| number > *most) => {
            wrong("exceeds the maximum value")
        }
        Flag if !value.is_boolean() => wrong("must be a boolean"),
        List(_) if !value.is_array() => wrong("must be an array"),
        List(inner) => {
            value.as_array().into_iter().flatten().try_for_each(|item| fits(name, inner, item, strict))
        }
        Record(_) if !value.is_object() => wrong("must be an object"),
        Record(fields) => record(fields, value, strict),
        Text | OneOf(_) | Number | Between(..) | Flag | Free => Ok(()),
    }
}

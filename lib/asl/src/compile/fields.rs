//! Reading single fields: their type, range and language.

use doxa_query::jsonata::{self, Expression};
use doxa_query::path::Path;
use doxa_query::template::{Fault, Source, Template};
use doxa_query::value::as_whole;
use serde_json::{Map, Value};

use super::Compiler;
use crate::diagnostic::Code;
use crate::machine::{Amount, Language, Text, Whole};

type Fields = Map<String, Value>;

impl Compiler {
    /// Refuses fields that are in none of the lists.
    pub(super) fn allow(&mut self, at: &str, fields: &Fields, lists: &[&[&str]]) {
        for key in fields.keys() {
            if !lists.iter().any(|list| list.contains(&key.as_str())) {
                self.schema(if at.is_empty() { "/" } else { at }, format!("Field '{key}' is not supported"));
            }
        }
    }

    /// Reports the `names` that are absent in one sentence, as AWS does.
    pub(super) fn require(&mut self, at: &str, fields: &Fields, names: &[&str]) -> bool {
        let absent: Vec<_> = names.iter().copied().filter(|name| !fields.contains_key(*name)).collect();
        if !absent.is_empty() {
            let at = if at.is_empty() { "/" } else { at };
            self.schema(at, format!("These fields are required: [{}]", absent.join(", ")));
        }
        absent.is_empty()
    }

    pub(super) fn object<'v>(&mut self, at: &str, fields: &'v Fields, name: &str) -> Option<&'v Fields> {
        let value = fields.get(name)?;
        if value.as_object().is_none() {
            self.schema(&format!("{at}/{name}"), "Expected value of type Object");
        }
        value.as_object()
    }

    pub(super) fn array<'v>(&mut self, at: &str, fields: &'v Fields, name: &str) -> &'v [Value] {
        match fields.get(name) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.schema(&format!("{at}/{name}"), "Expected value of type Array");
                &[]
            }
        }
    }

    pub(super) fn string<'v>(&mut self, at: &str, fields: &'v Fields, name: &str) -> Option<&'v str> {
        let value = fields.get(name)?;
        if !value.is_string() {
            self.schema(&format!("{at}/{name}"), "Expected value of type String");
        }
        value.as_str()
    }

    pub(super) fn whole(
        &mut self,
        at: &str,
        fields: &Fields,
        name: &str,
        least: i64,
        most: i64,
    ) -> Option<u64> {
        let value = fields.get(name)?;
        let whole = as_whole(value).filter(|whole| (least..=most).contains(whole));
        if whole.is_none() {
            let message = format!("Expected value of type Integer between {least} and {most}");
            self.schema(&format!("{at}/{name}"), message);
        }
        whole.and_then(|whole| u64::try_from(whole).ok())
    }

    pub(super) fn number(&mut self, at: &str, fields: &Fields, name: &str, least: f64) -> Option<f64> {
        let value = fields.get(name)?;
        let number = value.as_f64().filter(|number| *number >= least);
        if number.is_none() {
            self.schema(&format!("{at}/{name}"), format!("Expected a number of at least {least}"));
        }
        number
    }

    pub(super) fn language(&mut self, at: &str, fields: &Fields, outer: Language) -> Language {
        match fields.get("QueryLanguage").map(Value::as_str) {
            None => outer,
            Some(Some("JSONata")) => Language::Jsonata,
            Some(Some("JSONPath")) => Language::JsonPath,
            Some(_) => {
                self.schema(&format!("{at}/QueryLanguage"), "Value is not one of [JSONPath, JSONata]");
                outer
            }
        }
    }

    pub(super) fn path(&mut self, at: &str, fields: &Fields, name: &str) -> Option<Path> {
        let text = self.string(at, fields, name)?;
        let path = Path::parse(text);
        if let Err(invalid) = &path {
            self.schema(&format!("{at}/{name}"), format!("Value is not a valid JSONPath: {invalid}"));
        }
        path.ok()
    }

    /// InputPath and OutputPath.
    pub(super) fn whole_path(&mut self, at: &str, fields: &Fields, name: &str) -> Whole {
        match fields.get(name) {
            None => Whole::All,
            Some(Value::Null) => Whole::Nothing,
            Some(Value::String(text)) if text == "$" => Whole::All,
            Some(_) => self.path(at, fields, name).map_or(Whole::All, Whole::At),
        }
    }

    pub(super) fn result_path(&mut self, at: &str, fields: &Fields) -> Whole {
        let whole = self.whole_path(at, fields, "ResultPath");
        if let Whole::At(path) = &whole
            && !path.is_reference()
        {
            self.schema(&format!("{at}/ResultPath"), "Value is not a Reference Path");
        }
        whole
    }

    /// A template in the state's language.
    pub(super) fn template(
        &mut self,
        at: &str,
        fields: &Fields,
        name: &str,
        language: Language,
    ) -> Option<Template> {
        let value = fields.get(name)?;
        let mut faults = Vec::new();
        let template = match language {
            Language::JsonPath => Template::jsonpath(value, &mut faults),
            Language::Jsonata => Template::jsonata(value, name, &mut faults),
        };
        self.faults(&format!("{at}/{name}"), faults);
        self.too_large(&format!("{at}/{name}"), value);
        if language == Language::JsonPath {
            self.undollared(&format!("{at}/{name}"), value);
        }
        Some(template)
    }

    /// Warns of a literal that alone exceeds what a payload may be.
    pub(super) fn too_large(&mut self, at: &str, value: &Value) {
        let (size, most) = (crate::payload::size(value), crate::payload::PAYLOAD_LIMIT);
        if size > most {
            self.warn(
                Code::PayloadTooLarge,
                at,
                &format!("{size} bytes of template can hardly fit into {most} bytes"),
            );
        }
    }

    /// Warns of texts that look like paths or calls, but stand under a name without `.$`.
    fn undollared(&mut self, at: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter().filter(|(key, _)| !key.ends_with(".$")) {
                    let text = value.as_str().unwrap_or_default();
                    if text.starts_with("$.")
                        || text.starts_with("$$.")
                        || text.starts_with("States.") && text.ends_with(')')
                    {
                        self.warn(
                            Code::NoDollar,
                            at,
                            &format!("'{key}' looks dynamic, but without '.$' it is plain text"),
                        );
                    }
                    self.undollared(&format!("{at}/{key}"), value);
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.undollared(&format!("{at}[{n}]"), item);
                }
            }
            _ => {}
        }
    }

    fn faults(&mut self, at: &str, faults: Vec<Fault>) {
        for fault in faults {
            self.schema(&format!("{at}{}", fault.at), fault.message);
        }
    }

    /// The expression of a string field `{% … %}`, where it is one.
    pub(super) fn expression(&mut self, at: &str, fields: &Fields, name: &str) -> Option<Template> {
        let text = fields.get(name)?.as_str().and_then(jsonata::enclosed)?;
        match Expression::compile(text) {
            Ok(expression) => Some(Template::Expression { field: name.to_owned(), expression }),
            Err(why) => {
                self.schema(&format!("{at}/{name}"), format!("Invalid JSONata expression: {why}"));
                None
            }
        }
    }

    /// A number: fixed, by `…Path`, or by expression.
    pub(super) fn amount(
        &mut self,
        at: &str,
        fields: &Fields,
        name: &str,
        language: Language,
    ) -> Option<Amount> {
        let by_path = format!("{name}Path");
        if fields.contains_key(name) && fields.contains_key(&by_path) {
            self.schema(at, format!("Only one of these fields is allowed: [{name}, {by_path}]"));
        }
        match (language, fields.get(name)) {
            (Language::JsonPath, None) => self.path(at, fields, &by_path).map(Amount::Path),
            (_, None) => None,
            (Language::Jsonata, Some(Value::String(_))) => match self.expression(at, fields, name) {
                Some(Template::Expression { expression, .. }) => Some(Amount::Expression(expression)),
                _ => {
                    self.schema(&format!("{at}/{name}"), "Expected a number or a JSONata expression");
                    None
                }
            },
            (_, Some(_)) => self.number(at, fields, name, 0.0).map(Amount::Fixed),
        }
    }

    /// Error and Cause of a Fail.
    pub(super) fn text(&mut self, at: &str, fields: &Fields, name: &str, language: Language) -> Text {
        let by_path = format!("{name}Path");
        if fields.contains_key(name) && fields.contains_key(&by_path) {
            self.schema(at, format!("Only one of these fields is allowed: [{name}, {by_path}]"));
        }
        if language == Language::Jsonata
            && fields.get(name).and_then(Value::as_str).and_then(jsonata::enclosed).is_some()
        {
            return self.expression(at, fields, name).map_or(Text::Absent, Text::Expression);
        }
        if let Some(text) = self.string(at, fields, name) {
            return Text::Literal(text.to_owned());
        }
        let Some(text) = self.string(at, fields, &by_path) else { return Text::Absent };
        match Source::parse(text) {
            Some(source) => Text::Source(source),
            None => {
                self.schema(
                    &format!("{at}/{by_path}"),
                    "Value is not a Reference Path or an intrinsic function call",
                );
                Text::Absent
            }
        }
    }
}
